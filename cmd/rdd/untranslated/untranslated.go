// Package untranslated keeps kubectl's commands in English, as all of rdd is. A program
// that imports it does not unpack kubectl's translations, which takes 4 MB and a part of
// the time of each command.
//
// It works because Go initializes packages in the order of their import paths, as far as
// their imports allow: this one comes before those of kubectl that translate.
package untranslated

import "k8s.io/kubectl/pkg/util/i18n"

// inUse is set when kubectl has asked this package for its translations.
var inUse bool //nolint:gochecknoglobals // kubectl has one for its translations

func init() { //nolint:gochecknoinits // only an init comes before those of kubectl
	// It fails if the translations are loaded already; then inUse stays false.
	_ = i18n.SetLoadTranslationsFunc(func() error { inUse = true; return nil })
}

// InUse reports whether kubectl has asked this package, and no other, for its
// translations.
func InUse() bool { return inUse }
