FROM server_hourly WHERE hour >= make_timestamp($start_us) AND hour < make_timestamp($end_us)
