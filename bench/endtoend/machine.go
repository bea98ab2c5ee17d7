package main

import (
	"context"
	"net/http"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// describeEngine returns version and storage driver of an engine.
func describeEngine(ctx context.Context, e *dockerd.API) (figures.Engine, error) {
	var version struct{ Version, APIVersion string }
	if err := e.Call(ctx, http.MethodGet, "/version", nil, &version); err != nil {
		return figures.Engine{}, err
	}
	var info struct{ Driver string }
	if err := e.Call(ctx, http.MethodGet, "/info", nil, &info); err != nil {
		return figures.Engine{}, err
	}
	return figures.Engine{Name: "dockerd", Version: version.Version, API: version.APIVersion, Storage: info.Driver}, nil
}
