package page

import (
	"embed"
	"io/fs"
	"net/http"
)

// The names of the embedded files. In a build without npm, the directory has only the
// .gitignore of git, because an empty directory cannot be embedded.
const (
	directory = "dist"
	document  = "index.html"
	missing   = "dist-missing.html"
)

//go:embed all:dist dist-missing.html
var embedded embed.FS //nolint:gochecknoglobals // go:embed needs a variable

// IsBuilt reports whether this program has the page.
func IsBuilt() bool {
	_, err := fs.Stat(embedded, directory+"/"+document)
	return err == nil
}

// Handler serves the page: its document at /, and its files.
func Handler() http.Handler { return newHandler(embedded) }
