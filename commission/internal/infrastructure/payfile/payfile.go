// Package payfile (infrastructure) writes payment files for banks and providers. A format is a file
// of this package and an entry of Formats.
package payfile

import (
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
)

// Formats returns all formats. The payer is that of bank transfers; their day is one of the zone.
func Formats(payer Payer, zone *time.Location) []command.Format {
	return []command.Format{
		payPal{},
		pain001{payer: payer, zone: zone},
		general{},
	}
}

// unsuitable returns batch.ErrFormat for the reason.
func unsuitable(detail string) error { return batch.ErrFormat.New(detail) }
