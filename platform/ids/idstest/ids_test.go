package idstest_test

import (
	"testing"

	"tributary/platform/ids/idstest"
)

func TestTheIDsInMemoryKeepTheContract(t *testing.T) {
	t.Parallel()
	idstest.Suite(t, func() idstest.IDs { return &idstest.Sequence{} })
}
