package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	schedulingv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/scheduling/v1"
	"github.com/tongzhen/tongzhen/services/cmd/tongzhen/internal/host"
)

type importSchedulesCommand struct {
	County       string `default:"450321" help:"County code."`
	Organization string `required:"" help:"Code of the organisation whose sessions these are."`
	Department   string `help:"Department of the events of an iCalendar file that do not say theirs."`
	SlotMinutes  int32  `default:"15" help:"Minutes of a slot of such events."`
	DryRun       bool   `help:"Say what would be imported and write nothing."`
	File         string `arg:"" type:"existingfile" help:"FILE.csv with a header, Chinese or English (科室代码 department, 类型 kind, 号别 grade, 医生 practitioner, 设备 equipment, 地点 location, 日期 date, 开始时间 starts, 结束时间 ends, 每号分钟 slot_minutes; 规则 pattern, 星期 weekdays, 间隔 every, 起算日 anchor, 尾数 digits, 开始日期 first_day, 结束日期 last_day, 节假日出诊 on_holidays), UTF-8 or GB18030; or FILE.ics."`
}

// scheduleBytes is the most that one file may have.
const scheduleBytes = 1 << 20

// Run imports what can be planned; what is refused is named by line.
func (c *importSchedulesCommand) Run(ctx context.Context, settings *host.Settings) (err error) {
	content, format, err := c.read()
	if err != nil {
		return err
	}
	connection, err := host.Connect(ctx, *settings, c.County)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, connection.Close()) }()
	bar := newProgress("import")
	bar.step(0, 1, c.File)
	_, organization, err := organizations(ctx, directoryv1.NewDirectoryServiceClient(connection.Conn(host.Directory)), c.County, c.Organization)
	if err != nil {
		return err
	}
	done, err := schedulingv1.NewCalendarServiceClient(connection.Conn(host.Scheduling)).ImportSchedules(ctx, &schedulingv1.ImportSchedulesRequest{
		County: c.County, OrganizationId: organization, Format: format, Content: content, DryRun: c.DryRun, DepartmentCode: c.Department,
		SlotMinutes: c.SlotMinutes,
	})
	if err != nil {
		return fmt.Errorf("import %s: %w", c.File, err)
	}
	bar.step(1, 1, "import")
	bar.done()
	return c.report(done)
}

func (c *importSchedulesCommand) read() (content []byte, format string, err error) {
	switch strings.ToLower(filepath.Ext(c.File)) {
	case ".csv":
		format = "CSV"
	case ".ics":
		format = "ICS"
	default:
		return nil, "", fmt.Errorf("%s is neither .csv nor .ics", c.File)
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return nil, "", err
	}
	if info.Size() > scheduleBytes || info.Size() == 0 {
		return nil, "", fmt.Errorf("%s has %d bytes; at most %d are imported at once, so split it", c.File, info.Size(), scheduleBytes)
	}
	content, err = os.ReadFile(c.File)
	return content, format, err
}

func (c *importSchedulesCommand) report(done *schedulingv1.ImportSchedulesResponse) error {
	would := ""
	if c.DryRun {
		would = " would be"
	}
	fmt.Printf("%d templates and %d sessions%s imported, %d as before\n", done.GetTemplates(), done.GetSessions(), would, done.GetUnchanged())
	if len(done.GetProblems()) == 0 {
		return nil
	}
	table := [][]string{{"line", "field", "reason"}}
	lines := map[int32]bool{}
	for _, p := range done.GetProblems() {
		table = append(table, []string{strconv.Itoa(int(p.GetLine())), p.GetField(), p.GetReason()})
		lines[p.GetLine()] = true
	}
	if err := writeErrors(c.File, table); err != nil {
		return err
	}
	return fmt.Errorf("%d lines were refused; %s.errors.csv has the reasons", len(lines), c.File)
}
