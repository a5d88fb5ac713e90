UPDATE promises SET horizon = $horizon WHERE horizon IS NULL
