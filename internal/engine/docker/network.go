package docker

import (
	"errors"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// wireNetwork is what rdd reads of GET /networks/{id}.
type wireNetwork struct {
	ID         string `json:"Id"`
	Name       string
	Created    string
	Scope      string
	Driver     string
	EnableIPv6 bool
	IPAM       struct {
		Driver  string
		Options map[string]string
		Config  []wireIPAMConfig
	}
	Internal   bool
	Attachable bool
	// Containers are the endpoints, by the ID of their container.
	Containers map[string]any
	Options    map[string]string
	Labels     map[string]string
}

type wireIPAMConfig struct {
	Subnet             string
	IPRange            string
	Gateway            string
	AuxiliaryAddresses map[string]string
}

// mapNetwork turns an inspected network into its mirror.
func mapNetwork(raw []byte) (*containersv1.Network, error) {
	var wire wireNetwork
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	if wire.ID == "" {
		return nil, errors.New("the engine gave the network no ID")
	}
	id := toValidUTF8(wire.ID)
	ipam := containersv1.NetworkIPAM{Driver: toValidUTF8(wire.IPAM.Driver), Options: mapToValidUTF8(wire.IPAM.Options)}
	for _, config := range wire.IPAM.Config {
		ipam.Configs = append(ipam.Configs, containersv1.NetworkIPAMConfig{
			Subnet: toValidUTF8(config.Subnet), IPRange: toValidUTF8(config.IPRange), Gateway: toValidUTF8(config.Gateway),
			AuxiliaryAddresses: mapToValidUTF8(config.AuxiliaryAddresses),
		})
	}
	return &containersv1.Network{
		ObjectMeta: metav1.ObjectMeta{Name: containersv1.NetworkResourceName(id)},
		Status: containersv1.NetworkStatus{
			Name:       toValidUTF8(wire.Name),
			ID:         id,
			Namespace:  containersv1.MobyNamespace,
			Driver:     toValidUTF8(wire.Driver),
			Scope:      toValidUTF8(wire.Scope),
			Internal:   wire.Internal,
			Attachable: wire.Attachable,
			IPv6:       wire.EnableIPv6,
			IPAM:       ipam,
			Labels:     mapToValidUTF8(wire.Labels),
			Options:    mapToValidUTF8(wire.Options),
			CreatedAt:  microTime(wire.Created),
			Containers: attachedContainers(wire.Containers),
		},
	}, nil
}

// attachedContainers counts the endpoints that belong to a container. The engine also
// lists endpoints of load balancers, and endpoints without a container.
func attachedContainers(endpoints map[string]any) int32 {
	count := 0
	for id := range endpoints {
		if !strings.HasPrefix(id, "ep-") && !strings.HasPrefix(id, "lb-") && id != "ingress-sbox" {
			count++
		}
	}
	return toInt32(int64(count))
}
