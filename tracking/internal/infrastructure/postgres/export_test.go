package postgres

// Judge is judge, for tests.
func Judge(err error) error { return judge(err) }
