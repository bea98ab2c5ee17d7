package machines

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

func TestNamesAreChecked(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"a": true, "a-1": true, "1a": true, long: true,
		"": false, long + "a": false, "A": false, "a.b": false, "-a": false, "a-": false, "a_b": false, "a/b": false, "ä": false,
	} {
		err := CheckName(name)
		if _, isName := errors.AsType[*NameError](err); (err == nil) != want || err != nil && !isName {
			t.Errorf("machine %q: %v", name, err)
		}
	}
	for name, want := range map[string]bool{
		"carol": true, "carol@example.com": true, "https://issuer#carol": true, "system:serviceaccount:a:b": true, "Carol Doe": true,
		"": false, " carol": false, "a\nb": false, strings.Repeat("a", 254): false,
	} {
		if err := CheckUser(name); (err == nil) != want {
			t.Errorf("user %q: %v", name, err)
		}
	}
}

func TestJoinFileConnects(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, []byte("authority"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		server rest.Config
		host   string
		ca     string
	}{
		{"data", rest.Config{Host: "https://hub:6443", BearerToken: "admin's", TLSClientConfig: rest.TLSClientConfig{CAData: []byte("x"), KeyData: []byte("admin's")}}, "https://hub:6443", "x"},
		{"file", rest.Config{Host: "https://hub:6443/k8s/c1", TLSClientConfig: rest.TLSClientConfig{CAFile: ca}}, "https://hub:6443/k8s/c1", "authority"},
		{"public authority", rest.Config{Host: "https://hub.example.com", Username: "admin", Password: "admin's"}, "https://hub.example.com", ""},
	} {
		file, err := JoinFile(&test.server, &Added{Name: "a", Token: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		config, err := clientcmd.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		current := config.Contexts[config.CurrentContext]
		if config.CurrentContext != "a" || current == nil || current.Namespace != "a" {
			t.Errorf("%s: the current context is %q, %+v", test.name, config.CurrentContext, current)
			continue
		}
		cluster, user := config.Clusters[current.Cluster], config.AuthInfos[current.AuthInfo]
		if cluster.Server != test.host || string(cluster.CertificateAuthorityData) != test.ca || user.Token != "secret" {
			t.Errorf("%s: %+v, %+v", test.name, cluster, user)
		}
		if strings.Contains(string(file), "admin") {
			t.Errorf("%s: the file has credentials of the administrator:\n%s", test.name, file)
		}
	}
	_, err := JoinFile(&rest.Config{Host: "https://hub", TLSClientConfig: rest.TLSClientConfig{CAFile: ca + ".missing"}}, &Added{Name: "a"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the file of the authority: %v", err)
	}
}

// A machine that does not renew its Lease is away, whatever it has reported last.
func TestListedReadiness(t *testing.T) {
	now := time.Now()
	condition := func(kind string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Reason: reason}
	}
	ready := condition(hubv1.ConditionReady, metav1.ConditionTrue, hubv1.ReasonConnected)
	left := condition(hubv1.ConditionReady, metav1.ConditionFalse, hubv1.ReasonLeft)
	stopped := condition(hubv1.ConditionReady, metav1.ConditionFalse, hubv1.ReasonEngineStopped)
	synced := condition(hubv1.ConditionSynced, metav1.ConditionTrue, hubv1.ReasonSynced)
	for _, test := range []struct {
		name       string
		conditions []metav1.Condition
		renewed    time.Duration // before now; 0 for never
		staleAfter *metav1.Duration
		ready      metav1.ConditionStatus
		reason     string
		synced     metav1.ConditionStatus
	}{
		{"never joined", nil, 0, nil, "Unknown", "NeverJoined", "Unknown"},
		{"ready", []metav1.Condition{ready, synced}, 10 * time.Second, nil, "True", "Connected", "True"},
		{"engine stopped", []metav1.Condition{stopped}, 10 * time.Second, nil, "False", "EngineStopped", "Unknown"},
		{"away", []metav1.Condition{ready, synced}, 61 * time.Second, nil, "Unknown", "LeaseExpired", "Unknown"},
		{"away while stopped", []metav1.Condition{stopped}, time.Hour, nil, "Unknown", "LeaseExpired", "Unknown"},
		{"patient", []metav1.Condition{ready, synced}, 61 * time.Second, &metav1.Duration{Duration: 2 * time.Minute}, "True", "Connected", "True"},
		{"left", []metav1.Condition{left}, time.Hour, nil, "False", "Left", "Unknown"},
		{"clock ahead", []metav1.Condition{ready, synced}, -time.Hour, nil, "True", "Connected", "True"},
	} {
		m := &hubv1.Machine{Spec: hubv1.MachineSpec{StaleAfter: test.staleAfter}, Status: hubv1.MachineStatus{Conditions: test.conditions}}
		renewed := time.Time{}
		if test.renewed != 0 {
			renewed = now.Add(-test.renewed)
		}
		if row := listed(m, renewed, now); row.Ready != test.ready || row.Reason != test.reason || row.Synced != test.synced {
			t.Errorf("%s: %s %s, synced %s", test.name, row.Ready, row.Reason, row.Synced)
		}
	}
}

func TestUncountedQuotaIsFound(t *testing.T) {
	one := resource.MustParse("1")
	q := &corev1.ResourceQuota{}
	q.Status.Hard = corev1.ResourceList{"count/b": one, "count/a": one, "count/c": one}
	q.Status.Used = corev1.ResourceList{"count/c": one}
	if got := missing(q); !slices.Equal(got, []string{"count/a", "count/b"}) {
		t.Error(got)
	}
}
