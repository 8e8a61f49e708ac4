// Package docsui serves the OpenAPI page of a service: Swagger UI with all of its files embedded,
// so that the page works without internet access. update.sh creates assets/ from the npm package
// swagger-ui-dist and keeps its LICENSE and NOTICE.
package docsui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

//go:embed assets
var assets embed.FS

// policy lets the page load its own files, send requests to its own service, and nothing else.
// Swagger UI carries its icons as data: URLs and sets element styles from script (which needs no
// permission), but also writes a few style attributes into mark-up, which does.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr " +
	"'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is one served file. If zipped is set, content is gzip, and unpack returns the unpacked
// content for the few clients that do not accept gzip. It unpacks once and keeps some 2 MiB for all
// files.
type file struct {
	contentType string
	cache       string
	etag        string
	content     []byte
	zipped      bool
	unpack      func() ([]byte, error)
}

// Error is an entry of the page /docs/errors.
type Error struct {
	Code    string
	Status  int
	Meaning string
}

// Handler serves the page at /docs, the page of errors at /docs/errors and their files below
// /docs/. title is the page's title, specURL the address of the OpenAPI document on the same
// origin, such as "/openapi.json". Paths that are not there are left to notFound.
func Handler(title, specURL string, errors []Error, notFound http.HandlerFunc) http.Handler {
	const script, plain = "text/javascript; charset=utf-8", "text/plain; charset=utf-8"
	files := map[string]file{
		"swagger-ui.css":                   embedded("swagger-ui.css.gz", "text/css; charset=utf-8"),
		"swagger-ui-bundle.js":             embedded("swagger-ui-bundle.js.gz", script),
		"favicon-32x32.png":                embedded("favicon-32x32.png.gz", "image/png"),
		"init.js":                          embedded("init.js", script),
		"errors.css":                       embedded("errors.css", "text/css; charset=utf-8"),
		"errors":                           errorPage(title, errors),
		"LICENSE":                          embedded("LICENSE", plain),
		"NOTICE":                           embedded("NOTICE", plain),
		"swagger-ui-bundle.js.LICENSE.txt": embedded("swagger-ui-bundle.js.LICENSE.txt", plain),
	}
	page := embedded("page.html", "text/html; charset=utf-8")
	fill := strings.NewReplacer(
		"{{title}}",
		html.EscapeString(title),
		"{{spec}}",
		html.EscapeString(specURL),
	)
	files[""] = newFile([]byte(fill.Replace(string(page.content))), page.contentType, "no-cache")

	return handler(files, notFound)
}

// errorPage returns a page with a row for each code, whose anchor is the code.
func errorPage(title string, errors []Error) file {
	var rows strings.Builder
	for _, e := range errors {
		fmt.Fprintf(
			&rows,
			"<tr id=\"%[1]s\"><td><a href=\"#%[1]s\"><code>%[1]s</code></a></td><td>%[2]d</td><td>%[3]s</td></tr>\n",
			html.EscapeString(e.Code),
			e.Status,
			html.EscapeString(e.Meaning),
		)
	}

	page := embedded("errors.html", "text/html; charset=utf-8")
	fill := strings.NewReplacer("{{title}}", html.EscapeString(title), "{{rows}}", rows.String())

	return newFile([]byte(fill.Replace(string(page.content))), page.contentType, "no-cache")
}

// embedded reads a file of assets/. A name that does not exist is served empty; the test of this
// package excludes that.
func embedded(name, contentType string) file {
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		content = nil
	}

	f := newFile(content, contentType, "public, max-age=3600")
	f.zipped = strings.HasSuffix(name, ".gz")
	f.unpack = sync.OnceValues(func() ([]byte, error) { return unzip(content) })

	return f
}

func newFile(content []byte, contentType, cache string) file {
	sum := sha256.Sum256(content)

	return file{
		contentType: contentType,
		cache:       cache,
		etag:        hex.EncodeToString(sum[:12]),
		content:     content,
	}
}

func handler(files map[string]file, notFound http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/docs/" {
			http.Redirect(w, r, "../docs", http.StatusMovedPermanently)
			return
		}

		name, below := strings.CutPrefix(r.URL.Path, "/docs/")
		if !below {
			name = strings.TrimPrefix(r.URL.Path, "/docs")
		}

		found, known := files[name]
		if !known {
			notFound(w, r)
			return
		}

		found.serve(w, r)
	})
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	body := f.content
	encoding := ""

	etag := `"` + f.etag + `"`
	if f.zipped {
		header.Set("Vary", "Accept-Encoding")

		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			encoding, etag = "gzip", `"`+f.etag+`-gz"`
		}
	}

	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", f.cache)
	header.Set("ETag", etag)

	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}

	if f.zipped && encoding == "" {
		var err error
		if body, err = f.unpack(); err != nil {
			http.Error(w, "damaged file", http.StatusInternalServerError)
			return
		}
	}

	if encoding != "" {
		header.Set("Content-Encoding", encoding)
	}

	header.Set("Content-Type", f.contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)

	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the reader may have left: ignore the error
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110 §12.5.3): gzip or * without q=0.
func acceptsGzip(values []string) bool {
	accepted := false
	for entry := range strings.SplitSeq(strings.Join(values, ","), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(entry), ";")

		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}

		weight, given := strings.CutPrefix(
			strings.ReplaceAll(strings.ToLower(params), " ", ""),
			"q=",
		)
		q, err := strconv.ParseFloat(weight, 64)

		allowed := !given || (err == nil && q > 0)
		if coding == "gzip" {
			return allowed
		}

		accepted = allowed
	}

	return accepted
}

func matches(ifNoneMatch, etag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == etag || candidate == "*" {
			return true
		}
	}

	return false
}

func unzip(zipped []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return nil, err
	}

	plain, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}

	return plain, reader.Close()
}
