package settings

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// ours is the prefix of the import paths of this repository.
const ours = "tributary/"

// source is a package of the checkout.
type source struct {
	types   map[string]*ast.StructType
	imports map[string]string // directories of our packages by the name they are used under
}

// read returns the settings of a struct and of the structs in it, in order.
func read(root, dir, name string) ([]Setting, error) {
	pkg, err := load(root, dir)
	if err != nil {
		return nil, err
	}

	structure := pkg.types[name]
	if structure == nil {
		return nil, fmt.Errorf("%s has no struct %s", dir, name)
	}

	var list []Setting
	for _, field := range structure.Fields.List {
		if len(field.Names) > 0 && !field.Names[0].IsExported() {
			continue // read from settings, not one
		}

		variable, value := tags(field)
		if variable != "" {
			s, err := setting(field, variable, value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", dir, err)
			}

			list = append(list, s)

			continue
		}

		where, of := pkg.find(field.Type, dir)
		if where == "" {
			continue
		}

		inner, err := read(root, where, of)
		if err != nil {
			return nil, err
		}

		list = append(list, inner...)
	}

	return list, nil
}

// load parses the files of a package, without its tests.
func load(root, dir string) (source, error) {
	pkg := source{types: map[string]*ast.StructType{}, imports: map[string]string{}}

	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return pkg, err
	}

	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}

		text, err := os.ReadFile(file) //nolint:gosec // of the checkout
		if err != nil {
			return pkg, err
		}

		tree, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			return pkg, err
		}

		pkg.add(tree)
	}

	return pkg, nil
}

func (s source) add(tree *ast.File) {
	for _, i := range tree.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil || !strings.HasPrefix(name, ours) {
			continue
		}

		as := path.Base(name)
		if i.Name != nil {
			as = i.Name.Name
		}

		s.imports[as] = strings.TrimPrefix(name, ours)
	}

	ast.Inspect(tree, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if structure, ok := spec.Type.(*ast.StructType); ok {
				s.types[spec.Name.Name] = structure
			}
		}

		return true
	})
}

// find returns directory and name of a struct of ours, and an empty directory for any other type.
func (s source) find(expression ast.Expr, dir string) (where, name string) {
	switch e := expression.(type) {
	case *ast.Ident:
		if s.types[e.Name] != nil {
			return dir, e.Name
		}
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			return s.imports[pkg.Name], e.Sel.Name
		}
	}

	return "", ""
}

func tags(field *ast.Field) (variable, value string) {
	if field.Tag == nil {
		return "", ""
	}

	text, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return "", ""
	}

	tag := reflect.StructTag(text)

	return tag.Get("envconfig"), tag.Get("default")
}

// production begins the part of a field's comment that says what production requires.
const production = "Production:"

// setting reads the meaning from the field's comment, in the form of Go's documentation.
func setting(field *ast.Field, variable, value string) (Setting, error) {
	comment := strings.Join(strings.Fields(field.Doc.Text()+" "+field.Comment.Text()), " ")

	meaning, rule, _ := strings.Cut(comment, production)

	for _, begin := range []string{" is ", " are ", " "} {
		if len(field.Names) == 1 {
			if rest, found := strings.CutPrefix(meaning, field.Names[0].Name+begin); found {
				meaning = rest
				break
			}
		}
	}

	s := Setting{
		Name:       variable,
		Default:    value,
		Meaning:    sentence(meaning),
		Production: sentence(rule),
	}
	if s.Meaning == "" {
		return s, fmt.Errorf("%s has no comment on its field: say what it means", variable)
	}

	return s, nil
}

// sentence returns the text as a sentence that cannot break a row of the table.
func sentence(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "|", "\\|")
	if text == "" {
		return ""
	}

	letters := []rune(text)
	letters[0] = unicode.ToUpper(letters[0])

	return strings.TrimSuffix(string(letters), ".") + "."
}
