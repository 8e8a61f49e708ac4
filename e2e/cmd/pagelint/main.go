// Command pagelint checks what the formatters leave open: one field a line in literals of four keys
// or more, no assignment of three or more values at once, and comments and Markdown prose of at most
// 100 columns.
//
// Usage: pagelint FILE...
//
// It prints one line a finding and exits with 1 if there is any. Test files may hold tables of cases
// with one case a line, so their literals are left alone.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"strings"
)

const (
	maxColumns  = 100
	manyKeys    = 4
	manyValues  = 3
	tabColumns  = 4
	generatedBy = "DO NOT EDIT"
)

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
	p := page{out: w}
	for _, file := range files {
		//nolint:gosec // a file of the checkout, named by the caller
		source, err := os.ReadFile(file)
		if err != nil {
			return p.found, err
		}

		switch {
		case strings.HasSuffix(file, ".md"):
			p.markdown(file, source)
		case !bytes.Contains(source[:min(len(source), 2000)], []byte(generatedBy)):
			if err := p.source(file, source); err != nil {
				return p.found, err
			}
		}
	}

	return p.found, nil
}

type page struct {
	out   io.Writer
	found int
}

func (p *page) report(at token.Position, message string) {
	p.found++
	_, _ = fmt.Fprintf(p.out, "%s:%d: %s\n", at.Filename, at.Line, message)
}

func (p *page) source(file string, source []byte) error {
	set := token.NewFileSet()

	tree, err := parser.ParseFile(set, file, source, parser.ParseComments)
	if err != nil {
		return err
	}

	lines := strings.Split(string(source), "\n")
	for _, group := range tree.Comments {
		for _, c := range group.List {
			at := set.Position(c.Pos())
			text := lines[at.Line-1]

			alone := strings.HasPrefix(strings.TrimSpace(text), "//")
			if alone && width(text) > maxColumns && !unbreakable(text) {
				p.report(at, "this comment is wider than 100 columns")
			}
		}
	}

	test := strings.HasSuffix(file, "_test.go")
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if !test && packed(set, n) {
				p.report(set.Position(n.Pos()), "a literal of four keys or more has one key a line")
			}
		case *ast.AssignStmt:
			if len(n.Lhs) >= manyValues && len(n.Lhs) == len(n.Rhs) {
				p.report(set.Position(n.Pos()), "assign three or more values one by one")
			}
		}

		return true
	})

	return nil
}

// packed reports whether a literal of many named keys has several of them on one line.
func packed(set *token.FileSet, literal *ast.CompositeLit) bool {
	lines, keys := map[int]bool{}, 0
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}

		if _, named := pair.Key.(*ast.Ident); named {
			keys++
			lines[set.Position(pair.Pos()).Line] = true
		}
	}

	return keys >= manyKeys && len(lines) < keys
}

// markdown checks prose. Code, tables, headings and lines without a blank to break at are left alone.
func (p *page) markdown(file string, source []byte) {
	scanner := bufio.NewScanner(bytes.NewReader(source))
	scanner.Buffer(nil, len(source)+1)

	fenced := false
	for line := 1; scanner.Scan(); line++ {
		text := scanner.Text()

		trimmed := strings.TrimSpace(text)
		if strings.HasPrefix(trimmed, "```") {
			fenced = !fenced
		}

		table := strings.HasPrefix(trimmed, "|")

		heading := strings.HasPrefix(trimmed, "#")
		if fenced || table || heading || width(text) <= maxColumns || unbreakable(text) {
			continue
		}

		p.report(token.Position{Filename: file, Line: line}, "this line is wider than 100 columns")
	}
}

// unbreakable reports whether a line cannot be broken before its limit, such as a long address, or
// is a directive.
func unbreakable(line string) bool {
	text := strings.TrimSpace(line)
	if strings.HasPrefix(text, "//go:") || strings.HasPrefix(text, "//nolint") {
		return true
	}

	words := strings.Fields(strings.TrimPrefix(text, "//"))

	return len(words) <= 1 || width(line)-width(words[len(words)-1]) <= tabColumns
}

func width(line string) int {
	columns := 0
	for _, r := range line {
		if r == '\t' {
			columns += tabColumns
		} else {
			columns++
		}
	}

	return columns
}
