module tributary/migrations

go 1.26.0
