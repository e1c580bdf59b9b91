package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tongzhen/tongzhen/services/internal/authn"
	"github.com/tongzhen/tongzhen/services/internal/cache"
	"github.com/tongzhen/tongzhen/services/internal/clock"
	"github.com/tongzhen/tongzhen/services/internal/crypt"
	"github.com/tongzhen/tongzhen/services/internal/dbtest"
	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/internal/sqldb"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/app"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/domain"
	"github.com/tongzhen/tongzhen/services/patientrecord/internal/store"
)

// BenchmarkFirstPageOfASearch makes a county of a million patients (BENCH_PATIENTS makes it smaller) in a schema of its own, which it drops,
// and reports the median and the 95th percentile of whole searches, with the audit that each writes, by kind of query. Twenty centres share
// the patients; the search is one centre's, and one of a clinic with few patients.
//
//	TEST_POSTGRES_URL=… go test ./services/patientrecord/internal/store -run '^$' -bench FirstPage -benchtime 1x -timeout 60m
func BenchmarkFirstPageOfASearch(b *testing.B) {
	n := 1_000_000
	if text := os.Getenv("BENCH_PATIENTS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	cfg := dbtest.Config(b, sqldb.Postgres)
	db := dbtest.Reopen(b, cfg, clock.System())
	if err := sqldb.Migrate(b.Context(), db, sets()...); err != nil {
		b.Fatal(err)
	}
	s := store.New(db, crypt.TestRing(), func() {})
	begin := time.Now()
	fill(b, cfg, s, n)
	b.Logf("%d patients in %s", n, time.Since(begin).Round(time.Second))
	a := app.New(app.Deps{Store: s, Limiter: cache.Memory(clock.System()), Clock: clock.System(), Zone: time.UTC})
	for _, query := range []struct{ kind, org, text string }{
		{"surname", "org-1", "王"}, {"name", "org-1", "王秀英"}, {"two-characters", "org-1", "秀英"}, {"pinyin", "org-1", "wang"},
		{"pinyin-name", "org-1", "wangxiuying"}, {"initials", "org-1", "wxy"}, {"phone-tail", "org-1", "8000"}, {"village", "org-1", "村七十七"},
		{"surname-and-tail", "org-1", "wang 8000"}, {"surname-of-a-clinic", "clinic", "王"}, {"pinyin-of-a-clinic", "clinic", "wang"},
	} {
		b.Run(query.kind, func(b *testing.B) { measure(b, a, query.org, query.text) })
	}
}

func measure(b *testing.B, a *app.App, org, text string) {
	const times = 41
	who := authn.Identity{Subject: "account", Organization: org, County: county, Roles: []string{"TOWNSHIP_DOCTOR"}}
	var spans []time.Duration
	found := 0
	for range b.N {
		for range times {
			begin := time.Now()
			list, _, err := a.Search(b.Context(), who, app.Search{Query: text})
			if err != nil {
				b.Fatal(err)
			}
			spans, found = append(spans, time.Since(begin)), len(list)
		}
	}
	slices.Sort(spans)
	b.ReportMetric(float64(spans[len(spans)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(spans[len(spans)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(found), "found")
	b.ReportMetric(0, "ns/op")
}

// surnames by how common they are, the first in a thirteenth of all names.
const (
	surnames = "王王王王王李李李李李张张张张张刘刘刘刘陈陈陈陈杨杨杨黄黄黄赵赵吴吴周周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆"
	givens   = "秀英桂兰玉梅红丽伟强军建国平华明志文芳娟敏静霞燕艳玲云凤春海波勇涛斌辉刚健杰鹏飞龙超林森洪福寿康宁安乐欣怡佳慧雪晴雨露晨曦阳光永庆德义仁礼智信忠孝长发财富贵"
	digits   = "〇一二三四五六七八九"
)

func person(r *rand.Rand) domain.Details {
	family, given := []rune(surnames), []rune(givens)
	name := string(family[r.IntN(len(family))]) + string(given[r.IntN(len(given))])
	if r.IntN(5) > 0 {
		name += string(given[r.IntN(len(given))])
	}
	number := []rune(digits)
	v := r.IntN(100)
	return domain.Details{
		Name: name, Sex: domain.Sex(1 + r.IntN(2)), BirthDate: domain.Date{Year: 1935 + r.IntN(85), Month: 1 + r.IntN(12), Day: 1 + r.IntN(28)},
		DocumentType: domain.OtherDocument, IdentityNumber: fmt.Sprintf("Z%017d", r.Int64N(1e17)), Phone: fmt.Sprintf("138%08d", r.IntN(1e8)),
		Village: "村" + string(number[v/10]) + "十" + string(number[v%10]), HealthRecordNumber: fmt.Sprintf("%017d", r.Int64N(1e17)),
	}
}

// fill writes patients, tokens and relations by COPY, the tokens without their indexes, which are made at the end.
func fill(b *testing.B, cfg sqldb.Config, s *store.Store, n int) {
	b.Helper()
	ctx := b.Context()
	conn, err := pgx.Connect(ctx, cfg.URL)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	run := func(texts ...string) {
		for _, text := range texts {
			if _, err := conn.Exec(ctx, text); err != nil {
				b.Fatal(err)
			}
		}
	}
	run("SET search_path = "+cfg.Schema, "SET synchronous_commit = off", "SET maintenance_work_mem = '512MB'",
		"ALTER TABLE patient_token DROP CONSTRAINT patient_token_pkey, DROP CONSTRAINT patient_token_county_code_patient_id_fkey", "DROP INDEX patient_token_patient")
	r := rand.New(rand.NewPCG(1, 2))
	const batch = 20_000
	for from := 0; from < n; from += batch {
		copyBatch(b, conn, generated(b, s, r, from, min(batch, n-from)))
	}
	run("ALTER TABLE patient_token ADD PRIMARY KEY (county_code, token, patient_id)",
		"CREATE INDEX patient_token_patient ON patient_token (county_code, patient_id)",
		// What autovacuum has done in a county that grew over years.
		"VACUUM ANALYZE patient", "VACUUM ANALYZE patient_token", "VACUUM ANALYZE care_relation")
}

type rows struct{ patients, tokens, relations [][]any }

func generated(b *testing.B, s *store.Store, r *rand.Rand, from, n int) rows {
	b.Helper()
	var out rows
	ring, now := crypt.TestRing(), time.Now().UTC()
	for i := range n {
		patient, d := id.New(), person(r)
		sealed, err := s.SealDemographics(county, patient, domain.RestoreDemographics(d))
		if err != nil {
			b.Fatal(err)
		}
		org := "org-" + strconv.Itoa((from+i)%20)
		out.patients = append(out.patients, []any{county, patient, int32(1), sealed, org, now, now})
		out.relations = append(out.relations, []any{county, patient, org, "HOME", "import", int16(3), now})
		if (from+i)%1000 == 0 {
			out.relations = append(out.relations, []any{county, patient, "clinic", "ENCOUNTER", "registration", int16(3), now})
		}
		for _, t := range app.AllTerms(d) {
			out.tokens = append(out.tokens, []any{county, int16(t.Kind), ring.Token(t.Kind.String(), t.Text), patient})
		}
	}
	return out
}

func copyBatch(b *testing.B, conn *pgx.Conn, out rows) {
	b.Helper()
	for table, part := range map[string]struct {
		columns []string
		rows    [][]any
	}{
		"patient":       {[]string{"county_code", "id", "version", "demographics", "home_organization_id", "create_time", "update_time"}, out.patients},
		"patient_token": {[]string{"county_code", "kind", "token", "patient_id"}, out.tokens},
		"care_relation": {[]string{"county_code", "patient_id", "organization_id", "kind", "source", "level", "from_time"}, out.relations},
	} {
		if _, err := conn.CopyFrom(b.Context(), pgx.Identifier{table}, part.columns, pgx.CopyFromRows(part.rows)); err != nil {
			b.Fatal(err)
		}
	}
}
