package criteria

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// The bounds of an expression. The language of rules has no loops, so that cost grows with length alone: what is short enough stays below
// the limit of cost, which stands behind the others.
const (
	maxExpression = 2000 // code points
	maxCost       = 2000
	maxDepth      = 50
)

// language is CEL over the named values: doubles and booleans, compared, counted with and joined. Anything that could fail or run long at
// evaluation (functions, lists, texts, macros, whole numbers divided) is refused when a rule is read.
type language struct {
	env    *cel.Env
	values map[string]ValueDefinition
}

// rule is a compiled criterion.
type rule struct {
	Rule
	place
	program  cel.Program
	examples []example
}

// example is a patient and what the rule says of them.
type example struct {
	input   Input
	result  string
	missing []string
}

func newLanguage(values []ValueDefinition) (language, error) {
	l := language{values: map[string]ValueDefinition{}}
	options := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true), cel.ClearMacros(),
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(maxDepth),
	}
	for _, v := range values {
		l.values[v.Name] = v
		kind := cel.DoubleType
		if v.Type == Finding {
			kind = cel.BoolType
		}
		options = append(options, cel.Variable(v.Name, kind))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return language{}, fmt.Errorf("declare the values: %w", err)
	}
	l.env = env
	return l, nil
}

func (l language) compile(d draft) (*rule, error) {
	if err := checkRule(d.Rule); err != nil {
		return nil, err
	}
	if strings.TrimSpace(d.When) == "" {
		return nil, errors.New("when is missing")
	}
	parsed, issues := l.env.Parse(d.When)
	if err := first(issues); err != nil {
		return nil, err
	}
	names, err := l.namesIn(parsed.NativeRep().Expr())
	if err != nil {
		return nil, err
	}
	checked, issues := l.env.Check(parsed)
	if err := first(issues); err != nil {
		return nil, err
	}
	if checked.OutputType() != cel.BoolType {
		return nil, errors.New("when is not a condition that holds or does not")
	}
	if countsInIntegers(checked.NativeRep()) {
		return nil, errors.New("when: " + withPoint)
	}
	program, err := l.env.Program(checked, cel.EvalOptions(cel.OptOptimize, cel.OptPartialEval), cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("when: %w", err)
	}
	r := &rule{Rule: d.Rule, program: program}
	r.Values = names
	if r.TextEn == "" {
		r.TextEn = r.Text
	}
	for i, written := range d.examples {
		e, err := l.example(written)
		if err != nil {
			return nil, fmt.Errorf("example %d: %w", i+1, err)
		}
		r.examples = append(r.examples, e)
	}
	return r, nil
}

const withPoint = "numbers that are counted with, or follow == or !=, have a point, as 2.0"

// first is the first thing wrong with an expression, in one line.
func first(issues *cel.Issues) error {
	if issues.Err() == nil {
		return nil
	}
	e := issues.Errors()[0]
	reason := strings.ReplaceAll(e.Message, "\n", " ")
	if strings.Contains(reason, "no matching overload") {
		reason += "; " + withPoint
	}
	if e.Location.Column() < 0 { // of the expression as a whole
		return fmt.Errorf("when: %s", reason)
	}
	return fmt.Errorf("when, column %d: %s", e.Location.Column()+1, reason)
}

// countsInIntegers tells whether an expression has arithmetic on whole numbers alone, which unlike that on doubles can fail: 1 / 0.
func countsInIntegers(checked *ast.AST) bool {
	found := false
	ast.PreOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.CallKind && checked.GetType(e.ID()) == types.IntType
	}))
	return found
}

// allowed are the operators of a rule. None of them fails on doubles and booleans.
func allowed() []string {
	return []string{
		operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional, operators.Equals, operators.NotEquals,
		operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.Add, operators.Subtract,
		operators.Multiply, operators.Divide, operators.Negate,
	}
}

// namesIn lists the values that an expression names, each once, and refuses whatever is not of the language of rules.
func (l language) namesIn(e ast.Expr) ([]string, error) {
	var names []string
	var problem error
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		refused := ""
		switch e.Kind() {
		case ast.IdentKind:
			name := e.AsIdent()
			if _, exists := l.values[name]; !exists {
				refused = fmt.Sprintf("there is no value %q", name)
			} else if !slices.Contains(names, name) {
				names = append(names, name)
			}
		case ast.CallKind:
			if f := e.AsCall().FunctionName(); !slices.Contains(allowed(), f) {
				refused = fmt.Sprintf("rules know no %s", strings.Trim(f, "_@"))
			}
		case ast.LiteralKind:
			switch e.AsLiteral().Type() {
			case types.BoolType, types.DoubleType, types.IntType:
			default:
				refused = "only numbers, true and false are values"
			}
		default:
			refused = "rules know only comparison, arithmetic, &&, ||, ! and ?:"
		}
		if refused != "" && problem == nil {
			problem = errors.New("when: " + refused)
		}
	}))
	if problem == nil && len(names) == 0 {
		problem = errors.New("when names no value")
	}
	return names, problem
}

func (l language) example(written exampleRow) (example, error) {
	e := example{input: Input{Age: -1}, result: written.Result, missing: written.Missing}
	if !slices.Contains([]string{Met, NotMet, Unknown}, e.result) {
		return e, errors.New("result is not MET, NOT_MET or UNKNOWN")
	}
	for name, given := range written.Values {
		v := Value{Name: name}
		kind := Number
		switch given := given.(type) {
		case int:
			v.Number = float64(given)
		case float64:
			v.Number = given
		case bool:
			v.Finding, kind = given, Finding
		default:
			return e, fmt.Errorf("%s is neither a number nor true or false", name)
		}
		if d := l.values[name]; d.Type != kind {
			return e, fmt.Errorf("there is no value %q of type %s", name, kind)
		}
		if name == ageName {
			e.input.Age = int(v.Number)
			continue
		}
		e.input.Values = append(e.input.Values, v)
	}
	return e, nil
}

// evaluate says what the rule makes of the known values, and which others it waits for.
func (r *rule) evaluate(known map[string]any) (status string, wanted []string) {
	var missing []*cel.AttributePatternType
	for _, name := range r.Values {
		if _, ok := known[name]; !ok {
			missing = append(missing, cel.AttributePattern(name))
		}
	}
	vars, err := cel.PartialVars(known, missing...)
	if err != nil {
		return Unknown, r.Values
	}
	answer, _, err := r.program.Eval(vars)
	switch {
	case err != nil:
		// The language leaves no way to get here; if there is one, the rule has not been judged.
		return Unknown, r.Values
	case answer == types.True:
		return Met, nil
	case answer == types.False:
		return NotMet, nil
	}
	unknown, ok := answer.(*types.Unknown)
	if !ok {
		return Unknown, r.Values
	}
	return Unknown, slices.DeleteFunc(slices.Clone(r.Values), func(name string) bool { return !waitsFor(unknown, name) })
}

func waitsFor(u *types.Unknown, name string) bool {
	for _, id := range u.IDs() {
		trails, _ := u.GetAttributeTrails(id)
		if slices.ContainsFunc(trails, func(t *types.AttributeTrail) bool { return t.Variable() == name }) {
			return true
		}
	}
	return false
}
