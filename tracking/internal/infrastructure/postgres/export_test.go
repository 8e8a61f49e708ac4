package postgres

func Judge(err error) error { return judge(err) }
