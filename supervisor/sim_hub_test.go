package supervisor

import (
	"github.com/asynkron/protoactor-go/actor"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/world"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// simMembership is the membership in a simulated hub. The ledger is a file in dir, which
// daemons that follow read.
func simMembership(in *world.Membership, dir string) *membership {
	return &membership{
		load: func() (*home.Join, error) {
			config := clientcmdapi.NewConfig()
			config.Clusters["hub"] = &clientcmdapi.Cluster{Server: "http://hub"}
			config.AuthInfos["hub"] = &clientcmdapi.AuthInfo{}
			config.Contexts["hub"] = &clientcmdapi.Context{Cluster: "hub", AuthInfo: "hub", Namespace: in.Machine}
			config.CurrentContext = "hub"
			content, err := clientcmd.Write(*config)
			if err != nil {
				return nil, err
			}
			join, err := home.Parse(content, dir)
			if err != nil {
				return nil, err
			}
			join.Allow, join.Transport = in.Allow, in.Transport
			return join, nil
		},
		identity: func() (string, error) { return in.Identity, nil },
		ledger:   func() (*home.Ledger, error) { return home.OpenLedger(instance.Instance{DataDir: dir}) },
	}
}

// viaHub gives a command to connect to an engine the endpoint that the mirrors of a hub use.
func viaHub(message any) any {
	envelope, ok := message.(*actor.MessageEnvelope)
	if !ok {
		return message
	}
	command, ok := envelope.Message.(messages.ConnectEngine)
	if !ok {
		return message
	}
	command.Endpoint = world.HubEndpoint(command.Endpoint)
	return &actor.MessageEnvelope{Header: envelope.Header, Message: command, Sender: envelope.Sender}
}
