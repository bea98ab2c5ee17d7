// Package tables answers requests of clients for tables (as=Table), which kubectl prints,
// of containers, images, volumes, networks and requests. The server of custom resources
// would also answer them, but always with the resource's name as the first column, which
// is an ID of 64 digits, and with columns that are single fields. The tables of this
// package have what people look for, in rows that fit a terminal of 80 columns. Other
// requests for the same resources are passed on.
//
// Objects are read from the datastore with their Go types, and everything else is done by
// the same handlers of the API server as for any resource: selectors, chunks of lists,
// watches, and the objects in the rows of a table.
//
// The page reads lists of the same resources as JSON. They are answered in the same way,
// because lists of typed objects are several times cheaper than those of custom resources.
//
// The server does not know which columns a client will print. So a text that may be too
// long has two columns: one that is cut if the rows would not fit, and one with the full
// text, which kubectl shows with -o wide.
//
// Reading map:
//
//	handler.go    finds the requests for tables
//	lists.go      the lists of the page
//	scope.go      what the API server's handlers need to know of a resource
//	convertor.go  from objects to tables
//	layout.go     making rows fit
//	cut.go        making texts fit
//	usage.go      which containers use an object
//	words.go      states and times in words
//	containers.go, objects.go, requests.go: the columns and the rows of each kind
package tables
