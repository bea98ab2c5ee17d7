package main

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/asynkron/protoactor-go/actor"
	_ "github.com/k3s-io/kine/pkg/endpoint"
	_ "github.com/moby/moby/client"
	_ "golang.org/x/sync/errgroup"
	_ "k8s.io/kubectl/pkg/cmd"
	_ "k8s.io/kubernetes/pkg/controlplane/apiserver"
	_ "k8s.io/kubernetes/pkg/controlplane/apiserver/samples/generic/server"
	_ "k8s.io/apiextensions-apiserver/pkg/apiserver"
	_ "sigs.k8s.io/controller-runtime/pkg/cache"
	_ "sigs.k8s.io/controller-runtime/pkg/client"
)

func main() {}
