package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
	"github.com/tongzhen/tongzhen/services/internal/config"
)

// Every file of settings that is shipped is one that the command reads.
func TestTheShippedSettingsAreSettings(t *testing.T) {
	files, err := filepath.Glob("../../../../../deploy/config/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var s host.Settings
		if err := config.Load(&s, nil, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if filepath.Base(name) == "notification.yaml" && (s.Delivery.PublicURL == "" || !s.Delivery.WeComRobot || len(s.Delivery.EgressHosts) != 1 || s.Delivery.SMSRate != 300) {
			t.Errorf("%+v", s.Delivery)
		}
	}
}
