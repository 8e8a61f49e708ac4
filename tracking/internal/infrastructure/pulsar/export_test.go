package pulsar

var MessageOf = messageOf //nolint:gochecknoglobals // a name for the tests
