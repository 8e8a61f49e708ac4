// Command codelint checks that every error code of the checkout is defined once: by fault.Define or
// fault.DefineField, with its name as a literal, for a variable of a package. A program panics at
// its start if it defines a code twice; codelint finds what two programs define, and what is
// defined only when a function runs.
//
// Usage: codelint FILE...
//
// It prints one line a finding and exits with 1 if there is any. Test files are left alone.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

const faultPackage = "tributary/platform/fault"

func main() {
	found, err := check(os.Args[1:], os.Stdout)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}

	if found > 0 {
		os.Exit(1)
	}
}

// check reports every finding of the files to w and returns how many there are.
func check(files []string, w io.Writer) (int, error) {
	l := lint{out: w, set: token.NewFileSet(), places: map[string]token.Position{}}
	for _, file := range files {
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			continue
		}

		tree, err := parser.ParseFile(l.set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return l.found, err
		}

		l.file(tree)
	}

	return l.found, nil
}

type lint struct {
	out    io.Writer
	set    *token.FileSet
	found  int
	places map[string]token.Position // of each definition, by function and code
}

func (l *lint) report(at token.Pos, format string, values ...any) {
	l.found++
	p := l.set.Position(at)
	_, _ = fmt.Fprintf(l.out, "%s:%d: %s\n", p.Filename, p.Line, fmt.Sprintf(format, values...))
}

func (l *lint) file(tree *ast.File) {
	name, ok := localName(tree)
	if !ok {
		return
	}

	variables := map[*ast.CallExpr]bool{}
	for _, declaration := range tree.Decls {
		if group, ok := declaration.(*ast.GenDecl); ok && group.Tok == token.VAR {
			for _, spec := range group.Specs {
				for _, value := range spec.(*ast.ValueSpec).Values { //nolint:forcetypeassert // of a var
					if call, ok := value.(*ast.CallExpr); ok {
						variables[call] = true
					}
				}
			}
		}
	}

	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if function := member(n.Fun, name); function == "Define" || function == "DefineField" {
				l.definition(function, n, variables[n])
			}
		case *ast.CompositeLit:
			if what := member(n.Type, name); name != "" &&
				slices.Contains([]string{"Code", "Error", "FieldCode"}, what) {
				l.report(n.Pos(), "a fault.%s comes from a defined code, not from a literal", what)
			}
		}

		return true
	})
}

// definition checks a call that defines a code.
func (l *lint) definition(function string, call *ast.CallExpr, variable bool) {
	if !variable {
		l.report(call.Pos(), "a code is defined for a variable of the package")
	}

	index := 0
	if function == "Define" {
		index = 1 // after the kind
	}

	var literal *ast.BasicLit
	if len(call.Args) > index {
		literal, _ = call.Args[index].(*ast.BasicLit)
	}

	if literal == nil {
		l.report(call.Pos(), "the name of a code is a literal")
		return
	}

	code, _ := strconv.Unquote(literal.Value)

	key := function + " " + code
	if first, known := l.places[key]; known {
		l.report(call.Pos(), "the code %s is defined twice, first at %s", code, first)
	} else {
		l.places[key] = l.set.Position(call.Pos())
	}
}

// localName returns the name by which the file knows package fault, "" within it. The bool is false
// if it does not know it.
func localName(tree *ast.File) (string, bool) {
	if tree.Name.Name == "fault" {
		return "", true
	}

	for _, spec := range tree.Imports {
		if path, _ := strconv.Unquote(spec.Path.Value); path == faultPackage {
			if spec.Name != nil {
				return spec.Name.Name, true
			}

			return "fault", true
		}
	}

	return "", false
}

// member returns the name of a member of the package that the file knows by the name, or "".
func member(e ast.Expr, name string) string {
	switch e := e.(type) {
	case *ast.Ident:
		if name == "" {
			return e.Name
		}
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok && of.Name == name {
			return e.Sel.Name
		}
	}

	return ""
}
