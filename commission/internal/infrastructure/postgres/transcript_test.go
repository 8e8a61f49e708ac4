package postgres_test

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// statement is one that was sent, with its arguments.
type statement struct {
	sql  string
	args []any
}

// transcript records the statements of a pool of one connection, those of batches too.
type transcript struct{ statements []statement }

// taken returns the statements since the last call.
func (r *transcript) taken() []statement {
	defer func() { r.statements = nil }()
	return r.statements
}

func (r *transcript) TraceQueryStart(
	ctx context.Context,
	_ *pgx.Conn,
	data pgx.TraceQueryStartData,
) context.Context {
	r.statements = append(r.statements, statement{data.SQL, data.Args})
	return ctx
}

func (*transcript) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (*transcript) TraceBatchStart(
	ctx context.Context,
	_ *pgx.Conn,
	_ pgx.TraceBatchStartData,
) context.Context {
	return ctx
}

func (r *transcript) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	r.statements = append(r.statements, statement{data.SQL, data.Args})
}

func (*transcript) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
