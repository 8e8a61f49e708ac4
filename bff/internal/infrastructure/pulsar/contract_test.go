package pulsar_test

import (
	"net"
	"testing"

	"tributary/bff/internal/application/command/commandtest"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/bff/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// away returns a publisher whose port has no broker.
func away(t *testing.T) *pulsar.Publisher {
	t.Helper()

	var lc net.ListenConfig

	taken, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = taken.Close() })
	cfg := broker.Config{
		ServiceURL: "pulsar://" + taken.Addr().String(),
		Tenant:     "public",
		Namespace:  "default",
	}

	p, err := pulsar.New(brokertest.Client(t, cfg), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}

	for _, part := range p.Parts() {
		brokertest.Run(t, part.Run)
	}

	return p
}

func TestThePublisherKeepsTheContract(t *testing.T) {
	t.Parallel()

	topics := map[command.Type]string{
		campaign.AcceptType: contracts.CampaignAccept,
		evidence.UploadType: contracts.EvidenceUpload,
		payment.RequestType: contracts.PaymentRequest,
	}

	commandtest.Suite(t, func(t *testing.T) commandtest.World {
		t.Helper()

		cfg := namespace(t)

		return commandtest.World{
			Publisher: started(t, cfg, nil),
			Away:      away(t),
			Stored: func(t *testing.T, kind command.Type, number int) []string {
				t.Helper()

				var ids []string
				for _, m := range read(t, cfg, topics[kind]).wait(t, number) {
					ids = append(ids, m.Properties["command_id"])
				}

				return ids
			},
		}
	})
}
