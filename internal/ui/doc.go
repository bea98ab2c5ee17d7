// Package ui serves the page: a listener of its own on the loopback address, the logins of
// browsers, and the way from a browser to the API.
//
// Other users of the machine, other sites in the user's browser, and pages of other ports
// of this machine get nothing. Each request passes these checks, in this order: the
// connection's user, Host, Origin and Sec-Fetch-Site, the session.
//
// Reading map:
//
//	server.go       the server: its configuration, start, stop and routes
//	listen.go       the listener, on the same port after each start
//	users.go        the connections of other users, which are closed
//	peer_*.go       the user of a socket
//	guard.go        the checks of every request, and the headers of every response
//	codes.go        codes for one login
//	sessions.go     sessions, in memory
//	sessionfile.go  sessions, on disk
//	control.go      what the command line requests from the daemon
//	login.go        the login, and requests without a session
//	status.go       errors in the form of the API
//	proxy.go        requests of the API, and their streams
//	reports.go      the doctor, the support bundle, and facts about this daemon
//	watch.go        the socket that carries all watches of a page
//	commands.go     what a page sends over it
//	watches.go      the watches of one socket
//	eventwriter.go  turns the response of a watch into events
//	outbox.go       the bounded queue of a socket
package ui
