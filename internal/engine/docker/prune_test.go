package docker

import (
	"reflect"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func TestMapUsageReadsBothForms(t *testing.T) {
	const images = `[{"Id":"sha256:1","RepoTags":["a:1"],"Created":60,"Labels":{"k":"v"},"Size":100,"SharedSize":40},
		{"Id":"sha256:2","RepoTags":["<none>:<none>"],"Size":7,"SharedSize":-1}]`
	const volumes = `[{"Name":"data","CreatedAt":"2024-01-01T00:00:00Z","Labels":null,"UsageData":{"Size":9,"RefCount":1}},{"Name":"odd"}]`
	const cache = `[{"ID":"c1","Type":"regular","Description":"[1/2] COPY one /one","Size":5,"CreatedAt":"2024-01-01T00:00:00Z","LastUsedAt":"2024-01-02T00:00:00Z"},
		{"ID":"c2","Type":"frontend","InUse":true,"Size":-1,"LastUsedAt":null},{"ID":"c3","Type":"source.local","Shared":true}]`
	want := engine.Inventory{
		BuildCache: []engine.PruneCache{
			{PruneObject: engine.PruneObject{ID: "c1", Name: "[1/2] COPY one /one", Created: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC), Bytes: 5}},
			{PruneObject: engine.PruneObject{ID: "c2", Kept: true}, Internal: true},
			{PruneObject: engine.PruneObject{ID: "c3"}, Internal: true},
		},
		Images: []engine.PruneImage{
			{Tags: []string{"a:1"}, PruneObject: engine.PruneObject{ID: "sha256:1", Created: time.Unix(60, 0), Labels: map[string]string{"k": "v"}, Bytes: 60}},
			{PruneObject: engine.PruneObject{ID: "sha256:2", Bytes: 7}},
		},
		Volumes: []engine.PruneObject{
			{ID: "data", Name: "data", Created: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Bytes: 9}, {ID: "odd", Name: "odd"},
		},
	}
	for name, raw := range map[string]string{
		"Until151":  `{"LayersSize":1,"Images":` + images + `,"Volumes":` + volumes + `,"BuildCache":` + cache + `}`,
		"Since152":  `{"ImageUsage":{"TotalCount":2,"Items":` + images + `},"VolumeUsage":{"Items":` + volumes + `},"BuildCacheUsage":{"Items":` + cache + `}}`,
		"OddFields": `{"Images":` + images + `,"Volumes":` + volumes + `,"BuildCache":` + cache + `,"Containers":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			var got engine.Inventory
			if err := mapUsage([]byte(raw), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v, want\n%+v", got, err, want)
			}
		})
	}
}

func TestMapPruneContainersKnowsUses(t *testing.T) {
	raw := `[{"Id":"1","Names":["/web"],"ImageID":"sha256:1","Created":60,"State":"exited","SizeRw":5,
			"Mounts":[{"Type":"volume","Name":"data"},{"Type":"bind","Name":""}],
			"NetworkSettings":{"Networks":{"front":{"NetworkID":"n1"}}}},
		{"Id":"2","State":"paused"},{"Id":"3","State":"created"},{"Id":"4","State":"a new one"}]`
	got, err := mapPruneContainers([]byte(raw))
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	want := engine.PruneContainer{
		PruneObject: engine.PruneObject{ID: "1", Name: "web", Created: time.Unix(60, 0), Bytes: 5},
		ImageID:     "sha256:1", Volumes: []string{"data"}, Networks: []string{"front", "n1"},
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v, want %+v", got[0], want)
	}
	if got[0].Active || !got[1].Active || got[2].Active || !got[3].Active {
		t.Errorf("%+v", got)
	}
}
