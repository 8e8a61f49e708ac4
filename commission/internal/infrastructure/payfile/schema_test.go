//go:build python

package payfile_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/platform/money"
)

// validate checks a file against the schema that sepaxml ships. It also says how often the schema
// refuses a file from which it has removed an element, so that a schema that takes anything shows.
const validate = `
import pathlib, sys, xml.etree.ElementTree as tree
import sepaxml, xmlschema
schema = xmlschema.XMLSchema(str(pathlib.Path(sepaxml.__file__).parent / "schemas/pain.001.001.09.xsd"))
schema.validate(sys.argv[1])
root = tree.parse(sys.argv[1]).getroot()
refused = 0
for path in ("MsgId", "NbOfTxs", "EndToEndId", "InstdAmt", "DbtrAgt"):
    again = tree.parse(sys.argv[1]).getroot()
    for parent in again.iter():
        for child in list(parent):
            if child.tag.endswith("}" + path):
                parent.remove(child)
    refused += not schema.is_valid(again)
print(len(root.findall(".//{*}CdtTrfTxInf")), refused)
`

// The file is valid for a validator that shares no code with ours.
func TestPain001AgainstTheSchema(t *testing.T) {
	t.Parallel()

	python := os.Getenv("TEST_PYTHON")
	if python == "" {
		t.Fatal("TEST_PYTHON is not set: run make test-python")
	}

	eur := currency(t, "EUR")

	payments := make([]command.Payment, 500)
	for i := range payments {
		bic := ""
		if i%2 == 0 {
			bic = `,"bic":"PSSTFRPPPAR"`
		}

		payments[i] = payment(t, i, money.FromMinor(int64(i)*997+1, eur), fmt.Sprintf(
			`{"name":"Größe & <Søn> %d","iban":"FR1420041010050500013M02606"%s}`, i, bic,
		))
	}

	payments[0].Amount = money.FromMinor(999_999_999_99, eur)

	without, faults := payfile.NewPayer("Tributary", iban, "")
	if len(faults) > 0 {
		t.Fatal(faults)
	}

	for name, of := range map[string]payfile.Payer{"with a BIC": payer(t), "without": without} {
		file := filepath.Join(t.TempDir(), "pain.xml")
		text := write(t, format(t, "pain.001", of), content(eur, payments...))

		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}

		var out, complaints bytes.Buffer

		//nolint:gosec // the interpreter of the test's environment
		command := exec.CommandContext(t.Context(), python, "-c", validate, file)
		command.Stdout = &out
		command.Stderr = &complaints

		if err := command.Run(); err != nil || out.String() != "500 5\n" {
			t.Errorf("%s: %s %v %s", name, out.String(), err, complaints.String())
		}
	}
}
