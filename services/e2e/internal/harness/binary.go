package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles the product into dir and answers the path of the binary. TONGZHEN_TEST_BINARY names one that is there
// already.
func Build(ctx context.Context, dir string) (string, error) {
	if path := os.Getenv("TONGZHEN_TEST_BINARY"); path != "" {
		return filepath.Abs(path)
	}
	module, err := moduleDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tongzhen")
	command := exec.CommandContext(ctx, "go", "build", "-tags", "timetzdata", "-o", path, "./cmd/tongzhen")
	command.Dir = module
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the product: %w\n%s", err, out)
	}
	return path, nil
}

// moduleDir is the folder of go.mod, upwards from where the test runs.
func moduleDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = up
	}
}

// TestData is the folder of the shared test data: TONGZHEN_TEST_DATA, or else beside the repository. "" if it is absent.
func TestData() string {
	dir := os.Getenv("TONGZHEN_TEST_DATA")
	if dir == "" {
		module, err := moduleDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(module, "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}
