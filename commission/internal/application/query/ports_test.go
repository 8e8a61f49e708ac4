package query_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Reads that belong to no user, or follow from what was read for its owner, take no Owner.
func ownerless() []string {
	return []string{
		"RuleReader.Rules",            // rules belong to no user
		"BatchReader.Batch",           // batches belong to no user
		"BatchReader.Batches",         // the same
		"ReplayReader.Replay",         // the same
		"ReplayReader.Replays",        // the same
		"ReplayReader.Differences",    // the same
		"LiabilityReader.Liabilities", // sums of all users, for those who see everything
		"LiabilityReader.Ageing",      // the same
		"AuditReader.Audit",           // the audit belongs to no user
		"ExplanationReader.RulesAt",   // rules belong to no user
		"ExplanationReader.History",   // of a commission that was read for its owner
		"ExplanationReader.Before",    // the same
	}
}

// A new read port, and a new query, cannot forget ownership: each method of a port takes an Owner,
// which only a Caller returns, and each exported method of a query takes the Caller.
func TestEveryReadTakesAnOwnerAndEveryQueryItsCaller(t *testing.T) {
	t.Parallel()

	reads, queries := 0, 0

	found, ports := methods(t)
	for name, method := range found {
		switch owner, _, _ := strings.Cut(name, "."); {
		case ports[owner]:
			reads++

			if !slices.Contains(ownerless(), name) && !takes(method, "Owner") {
				t.Errorf("%s takes no Owner", name)
			}
		case takes(method, "Context"):
			queries++

			if !takes(method, "Caller") {
				t.Errorf("%s takes no Caller", name)
			}
		}
	}

	if reads < 10 || queries < 10 {
		t.Errorf("found %d reads and %d queries", reads, queries)
	}
}

// methods returns the exported methods of the package, as "Type.Method", and the names of its
// ports.
func methods(t *testing.T) (found map[string]*ast.FuncType, ports map[string]bool) {
	t.Helper()

	found = map[string]*ast.FuncType{}
	ports = map[string]bool{}

	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if port, ok := n.Type.(*ast.InterfaceType); ok {
					ports[n.Name.Name] = true
					addPort(found, n.Name.Name, port)
				}
			case *ast.FuncDecl:
				if n.Recv != nil && n.Name.IsExported() {
					found[receiver(n.Recv.List[0].Type)+"."+n.Name.Name] = n.Type
				}
			}

			return true
		})
	}

	return found, ports
}

func addPort(found map[string]*ast.FuncType, name string, port *ast.InterfaceType) {
	for _, m := range port.Methods.List {
		if signature, ok := m.Type.(*ast.FuncType); ok {
			found[name+"."+m.Names[0].Name] = signature
		}
	}
}

func receiver(of ast.Expr) string {
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}

	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}

	return ""
}

// takes reports whether a parameter has the type, of this package or another.
func takes(method *ast.FuncType, name string) bool {
	return slices.ContainsFunc(method.Params.List, func(f *ast.Field) bool {
		switch of := f.Type.(type) {
		case *ast.Ident:
			return of.Name == name
		case *ast.SelectorExpr:
			return of.Sel.Name == name
		}

		return false
	})
}

func sources(t *testing.T) []*ast.File {
	t.Helper()

	var files []*ast.File

	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(d.Name(), "test") {
			return fs.SkipDir // the fakes of the ports
		}

		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}

		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		files = append(files, file)

		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	return files
}
