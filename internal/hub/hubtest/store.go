package hubtest

import (
	"errors"
	"os"

	"k8s.io/apimachinery/pkg/util/uuid"
)

// storeVariable has the endpoint of a server with the API of etcd, such as
// unix:///tmp/kine.sock, which the hubs use in place of an etcd of their own.
const storeVariable = "RDD_TEST_KUBE_STORE"

// errForeignData is the error of an act on the data of a datastore that is not etcd.
var errForeignData = errors.New("the tests cannot back up or restore the datastore of " + storeVariable)

// datastore is where a cluster has its data. Its zero value is an etcd of its own.
type datastore struct {
	endpoint string
	// prefix of the keys, because several clusters use the endpoint.
	prefix string
}

// selectDatastore returns the datastore that the environment selects.
func selectDatastore() datastore {
	endpoint := os.Getenv(storeVariable)
	if endpoint == "" {
		return datastore{}
	}
	return datastore{endpoint: endpoint, prefix: "/hub-" + string(uuid.NewUUID())}
}

func (d datastore) isForeign() bool { return d.endpoint != "" }

// flags returns the flags of the API server.
func (d datastore) flags() []string {
	return []string{"--etcd-servers=" + d.endpoint, "--etcd-prefix=" + d.prefix}
}
