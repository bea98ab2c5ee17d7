package docker

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/schematest"
)

const inspectedNetwork = `{"Name":"app_default","Id":"5e2d","Created":"2026-11-23T12:55:17.123456789Z","Scope":"local","Driver":"bridge",
	"EnableIPv4":true,"EnableIPv6":true,"IPAM":{"Driver":"default","Options":{},"Config":[
	{"Subnet":"172.18.0.0/16","IPRange":"172.18.1.0/24","Gateway":"172.18.0.1","AuxiliaryAddresses":{"router":"172.18.0.9"}},{"Subnet":"fd00::/64"}]},
	"Internal":true,"Attachable":true,"Ingress":false,"ConfigFrom":{"Network":""},"ConfigOnly":false,
	"Containers":{"` + "c1" + `":{"Name":"web"},"ep-1":{},"lb-app":{},"ingress-sbox":{}},
	"Options":{"com.docker.network.driver.mtu":"1400"},"Labels":{"com.docker.compose.project":"app"}}`

func TestMapNetworkHasEveryField(t *testing.T) {
	got, err := mapNetwork([]byte(inspectedNetwork))
	if err != nil {
		t.Fatal(err)
	}
	want := &containersv1.Network{
		ObjectMeta: metav1.ObjectMeta{Name: containersv1.NetworkResourceName("5e2d")},
		Status: containersv1.NetworkStatus{
			Name: "app_default", ID: "5e2d", Namespace: "moby", Driver: "bridge", Scope: "local",
			Internal: true, Attachable: true, IPv6: true,
			IPAM: containersv1.NetworkIPAM{Driver: "default", Configs: []containersv1.NetworkIPAMConfig{
				{
					Subnet: "172.18.0.0/16", IPRange: "172.18.1.0/24", Gateway: "172.18.0.1",
					AuxiliaryAddresses: map[string]string{"router": "172.18.0.9"},
				},
				{Subnet: "fd00::/64"},
			}},
			Labels:  map[string]string{"com.docker.compose.project": "app"},
			Options: map[string]string{"com.docker.network.driver.mtu": "1400"}, CreatedAt: microTime("2026-11-23T12:55:17.123456Z"),
			Containers: 1,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("network (-want +got):\n%s", diff)
	}
}

func TestMapNetworkOddValues(t *testing.T) {
	if _, err := mapNetwork([]byte(`{"Name":"n"}`)); err == nil {
		t.Error("a network without an ID has a mirror")
	}
	got, err := mapNetwork([]byte(`{"Id":"n","EnableIPv6":"yes","IPAM":{"Config":[null,{"Subnet":7}]},"Containers":[],"Labels":{"\ud800":null}}`))
	if err != nil || got.Status.Containers != 0 || len(got.Status.IPAM.Configs) != 2 {
		t.Errorf("network %+v, %v", got, err)
	}
}

// FuzzNetworkSchema makes up networks.
func FuzzNetworkSchema(f *testing.F) {
	server := schematest.New(f)
	f.Add([]byte(inspectedNetwork))
	f.Add([]byte(`{"Id":"n","IPAM":null,"Containers":{"":null},"Options":{"":"\ud800"}}`))
	f.Add([]byte(strings.Repeat("\x9c\x01 kf", 400)))
	f.Fuzz(func(t *testing.T, data []byte) {
		network, err := mapNetwork(fill(t, data, &wireNetwork{}))
		if err != nil {
			return
		}
		server.Check(t, compose(network, nil))
	})
}
