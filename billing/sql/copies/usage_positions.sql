SELECT log, topic, "partition", next FROM positions
