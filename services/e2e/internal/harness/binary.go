package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// Build compiles the product into dir and answers the path of the binary; dir also has what the tests begin with, so it must stay as long
// as they run. TONGZHEN_TEST_BINARY names a binary that is there already.
func Build(ctx context.Context, dir string) (path string, err error) {
	if given := os.Getenv("TONGZHEN_TEST_BINARY"); given != "" {
		path, err = filepath.Abs(given)
	} else {
		path, err = compile(ctx, dir)
	}
	demoCounty = sync.OnceValues(func() (string, error) { return makeDemo(ctx, path, filepath.Join(dir, "demo")) })
	return path, err
}

func compile(ctx context.Context, dir string) (string, error) {
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
