// Package fallbackuser lets rdd run as a user without an entry in /etc/passwd and without the
// variables USER and HOME, as in an image with nothing but rdd. Go finds no current user
// there, and a package of Lima panics before main.
//
// It works because Go initializes packages in the order of their import paths, as far as
// their imports allow. This package imports nothing that os/user does not import too, and its
// path comes before that one, so it precedes all packages that ask for the current user.
package fallbackuser
