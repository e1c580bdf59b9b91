package seed

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"strings"
)

// See divisions/README.md for source and licence.
//
//go:embed divisions/divisions.tsv.gz
var divisions []byte

// DemoCounty is 阳朔县, Guangxi.
const DemoCounty = "450321"

// place is a county with its townships, in the order of their codes.
type place struct {
	code      string
	name      string // 阳朔县
	above     string // 广西壮族自治区桂林市
	townships []township
}

type township struct{ code, name string }

// findCounty looks the county up in the national list.
func findCounty(code string) (place, error) {
	if len(code) != 6 {
		return place{}, fmt.Errorf("county %q: the code has six digits, e.g. %s for 阳朔县", code, DemoCounty)
	}
	packed, err := gzip.NewReader(bytes.NewReader(divisions))
	if err != nil {
		return place{}, fmt.Errorf("open list of townships: %w", err)
	}
	found := place{code: code}
	var province, prefecture string
	for lines := bufio.NewScanner(packed); ; {
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				return place{}, fmt.Errorf("read list of townships: %w", err)
			}
			break
		}
		at, name, _ := strings.Cut(lines.Text(), "\t")
		switch {
		case at == code[:2]:
			province = name
		case at == code[:4]:
			prefecture = name
		case at == code:
			found.name = name
		case len(at) == 9 && at[:6] == code:
			found.townships = append(found.townships, township{at, name})
		}
	}
	if found.name == "" || len(found.townships) == 0 {
		return place{}, fmt.Errorf("county %s is not in the national list of townships (National Bureau of Statistics, 2023); 阳朔县 is %s", code, DemoCounty)
	}
	if prefecture == "市辖区" || prefecture == "县" { // Beijing and its like have none
		prefecture = ""
	}
	found.above = province + prefecture
	return found, nil
}

// centreName is what the health centre of a township is called.
func (t township) centreName() string {
	if strings.HasSuffix(t.name, "街道") || strings.HasSuffix(t.name, "街道办事处") {
		return strings.TrimSuffix(t.name, "办事处") + "社区卫生服务中心"
	}
	return t.name + "卫生院"
}

// nth is a township, the last one where there are fewer.
func (p place) nth(i int) township { return p.townships[min(i, len(p.townships)-1)] }
