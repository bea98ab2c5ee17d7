package v1alpha1

import (
	"maps"
	"slices"
	"testing"
)

func TestSyncLabelsReturnsChangedKeys(t *testing.T) {
	tests := []struct {
		name                        string
		labels, earlier, now, after map[string]string
		changed                     []string
	}{
		{"nothing", nil, nil, nil, nil, nil},
		{"new", nil, nil, map[string]string{"a": "1", "not valid": "x"}, map[string]string{"a": "1"}, []string{"a"}},
		{"equal", map[string]string{"a": "1"}, map[string]string{"a": "1"}, map[string]string{"a": "1"}, map[string]string{"a": "1"}, nil},
		{"gone", map[string]string{"a": "1"}, map[string]string{"a": "1"}, nil, nil, []string{"a"}},
		{"gone, but changed by a user", map[string]string{"a": "2"}, map[string]string{"a": "1"}, nil, map[string]string{"a": "2"}, nil},
		{"no longer valid", map[string]string{"a": "1"}, map[string]string{"a": "1"}, map[string]string{"a": "one 1"}, nil, []string{"a"}},
		{"other value", map[string]string{"a": "1"}, map[string]string{"a": "1"}, map[string]string{"a": "2"}, map[string]string{"a": "2"}, []string{"a"}},
		{"of a user", map[string]string{"u": "1"}, nil, nil, map[string]string{"u": "1"}, nil},
		{"removed by a user", nil, map[string]string{"a": ""}, map[string]string{"a": ""}, map[string]string{"a": ""}, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := &Volume{}
			before := maps.Clone(test.labels)
			v.Labels, v.Status.Labels = test.labels, test.now
			changed := SyncLabels(v, test.earlier)
			if !maps.Equal(v.Labels, test.after) || !slices.Equal(changed, test.changed) || !HasResourceLabels(v, v) {
				t.Errorf("labels %v, changed %v; want %v, %v", v.Labels, changed, test.after, test.changed)
			}
			if !maps.Equal(test.labels, before) {
				t.Errorf("the former labels, which others share, have changed to %v", test.labels)
			}
		})
	}
}

func TestShareLabelsSharesEqualLabelsOnly(t *testing.T) {
	v := &Volume{}
	v.Labels, v.Status.Labels = map[string]string{"a": "1"}, map[string]string{"a": "1"}
	ShareLabels(v)
	v.Status.Labels["b"] = "2"
	if v.Labels["b"] != "2" {
		t.Error("equal labels are stored twice")
	}
	v.Labels = map[string]string{"mine": "1"}
	ShareLabels(v)
	if v.Labels["mine"] != "1" || len(v.Labels) != 1 {
		t.Errorf("the labels are %v", v.Labels)
	}
}
