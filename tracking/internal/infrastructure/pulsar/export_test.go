package pulsar

// MessageOf is open to the tests.
var MessageOf = messageOf //nolint:gochecknoglobals // a name for the tests
