using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class OrderFlow : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropPrimaryKey(
                name: "pk_stock_movements",
                table: "stock_movements");

            migrationBuilder.AddColumn<short>(
                name: "kind",
                table: "stock_movements",
                type: "smallint",
                nullable: false,
                defaultValue: (short)0);

            migrationBuilder.AddColumn<string[]>(
                name: "consumes",
                table: "step_catalogue",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddPrimaryKey(
                name: "pk_stock_movements",
                table: "stock_movements",
                columns: new[] { "order_id", "sku", "kind" });

            migrationBuilder.CreateTable(
                name: "cancelled_subjects",
                columns: table => new
                {
                    subject_id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_cancelled_subjects", x => x.subject_id);
                });

            migrationBuilder.CreateTable(
                name: "credit_notes",
                columns: table => new
                {
                    order_id = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<long>(type: "bigint", nullable: false),
                    issued_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    pdf = table.Column<byte[]>(type: "bytea", nullable: true),
                    sha256 = table.Column<byte[]>(type: "bytea", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_credit_notes", x => x.order_id);
                });

            migrationBuilder.CreateTable(
                name: "replays",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    filter = table.Column<string>(type: "jsonb", nullable: false),
                    per_second = table.Column<int>(type: "integer", nullable: false),
                    state = table.Column<short>(type: "smallint", nullable: false),
                    cursor = table.Column<Guid>(type: "uuid", nullable: true),
                    seen = table.Column<long>(type: "bigint", nullable: false),
                    fed = table.Column<long>(type: "bigint", nullable: false),
                    already_done = table.Column<long>(type: "bigint", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    updated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    last_error = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_replays", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "step_reports",
                columns: table => new
                {
                    subject_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    message_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    progress = table.Column<double>(type: "double precision", nullable: true),
                    activity = table.Column<string>(type: "text", nullable: true),
                    log = table.Column<string[]>(type: "text[]", nullable: false),
                    result = table.Column<string>(type: "jsonb", nullable: true),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_step_reports", x => new { x.subject_id, x.step, x.message_id, x.attempt });
                });

            migrationBuilder.CreateIndex(
                name: "outbox_due_first",
                table: "outbox",
                column: "due_at",
                filter: "dead_at is null and priority > 4");

            migrationBuilder.CreateIndex(
                name: "orders_released",
                table: "orders",
                column: "release_at",
                filter: "release_at is not null");

            migrationBuilder.CreateIndex(
                name: "cancelled_subjects_at",
                table: "cancelled_subjects",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_credit_notes_number",
                table: "credit_notes",
                column: "number",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "replays_running",
                table: "replays",
                column: "state",
                filter: "state = 0");

            migrationBuilder.CreateIndex(
                name: "step_reports_at",
                table: "step_reports",
                column: "at")
                .Annotation("Npgsql:IndexMethod", "brin");

            // PDFs are compressed already; EXTERNAL spares the database the attempt. Credit notes have a series of numbers of their own.
            migrationBuilder.Sql("""
                alter table credit_notes alter column pdf set storage external;
                insert into invoice_counter (series, last) values ('credit-note', 0);
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "cancelled_subjects");

            migrationBuilder.DropTable(
                name: "credit_notes");

            migrationBuilder.DropTable(
                name: "replays");

            migrationBuilder.DropTable(
                name: "step_reports");

            migrationBuilder.DropPrimaryKey(
                name: "pk_stock_movements",
                table: "stock_movements");

            migrationBuilder.DropIndex(
                name: "outbox_due_first",
                table: "outbox");

            migrationBuilder.DropIndex(
                name: "orders_released",
                table: "orders");

            migrationBuilder.DropColumn(
                name: "kind",
                table: "stock_movements");

            migrationBuilder.DropColumn(
                name: "consumes",
                table: "step_catalogue");

            migrationBuilder.AddPrimaryKey(
                name: "pk_stock_movements",
                table: "stock_movements",
                columns: new[] { "order_id", "sku" });
        }
    }
}
