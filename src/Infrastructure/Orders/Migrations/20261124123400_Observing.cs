using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

#pragma warning disable CA1814 // Prefer jagged arrays over multidimensional

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class Observing : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "alert_rules",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<short>(type: "smallint", nullable: false),
                    threshold = table.Column<double>(type: "double precision", nullable: false),
                    hold = table.Column<TimeSpan>(type: "interval", nullable: false),
                    enabled = table.Column<bool>(type: "boolean", nullable: false),
                    silenced_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_alert_rules", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "alerts",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false, defaultValueSql: "uuidv7()"),
                    rule = table.Column<string>(type: "text", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    says = table.Column<string>(type: "text", nullable: false),
                    link = table.Column<string>(type: "text", nullable: false),
                    since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    fired_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    resolved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    sent_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    resolution_sent_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    send_error = table.Column<string>(type: "text", nullable: true),
                    acknowledged_by = table.Column<string>(type: "text", nullable: true),
                    acknowledged_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_alerts", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "operator_sessions",
                columns: table => new
                {
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operator_sessions", x => x.hash);
                    table.ForeignKey(
                        name: "fk_operator_sessions_operators_name",
                        column: x => x.name,
                        principalTable: "operators",
                        principalColumn: "name",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "step_attempts",
                columns: table => new
                {
                    subject_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    fault = table.Column<string>(type: "text", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_step_attempts", x => new { x.subject_id, x.step, x.started_at });
                });

            migrationBuilder.CreateTable(
                name: "step_history",
                columns: table => new
                {
                    seconds = table.Column<int>(type: "integer", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    begins = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    done = table.Column<long>(type: "bigint", nullable: false),
                    failed = table.Column<long>(type: "bigint", nullable: false),
                    parked = table.Column<long>(type: "bigint", nullable: false),
                    run = table.Column<int[]>(type: "integer[]", nullable: false),
                    wait = table.Column<int[]>(type: "integer[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_step_history", x => new { x.seconds, x.begins, x.step });
                });

            migrationBuilder.InsertData(
                table: "alert_rules",
                columns: new[] { "name", "enabled", "hold", "kind", "silenced_until", "threshold" },
                values: new object[,]
                {
                    { "backlog-growth", true, new TimeSpan(0, 0, 3, 0, 0), (short)3, null, 5.0 },
                    { "broker-away", true, new TimeSpan(0, 0, 0, 30, 0), (short)9, null, 0.0 },
                    { "failure-rate", true, new TimeSpan(0, 0, 1, 0, 0), (short)1, null, 0.050000000000000003 },
                    { "no-workers", true, new TimeSpan(0, 0, 0, 30, 0), (short)4, null, 0.0 },
                    { "oldest-message", true, new TimeSpan(0, 0, 1, 0, 0), (short)2, null, 120.0 },
                    { "outbox-lag", true, new TimeSpan(0, 0, 0, 30, 0), (short)5, null, 30.0 },
                    { "parked", true, new TimeSpan(0, 0, 1, 0, 0), (short)8, null, 1.0 }
                });

            migrationBuilder.CreateIndex(
                name: "step_runs_finished",
                table: "step_runs",
                column: "finished_at")
                .Annotation("Npgsql:IndexMethod", "brin");

            migrationBuilder.CreateIndex(
                name: "alerts_fired",
                table: "alerts",
                column: "fired_at");

            migrationBuilder.CreateIndex(
                name: "alerts_open",
                table: "alerts",
                columns: new[] { "rule", "subject" },
                unique: true,
                filter: "resolved_at is null");

            migrationBuilder.CreateIndex(
                name: "ix_operator_sessions_name",
                table: "operator_sessions",
                column: "name");

            migrationBuilder.CreateIndex(
                name: "step_attempts_at",
                table: "step_attempts",
                column: "ended_at")
                .Annotation("Npgsql:IndexMethod", "brin");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "alert_rules");

            migrationBuilder.DropTable(
                name: "alerts");

            migrationBuilder.DropTable(
                name: "operator_sessions");

            migrationBuilder.DropTable(
                name: "step_attempts");

            migrationBuilder.DropTable(
                name: "step_history");

            migrationBuilder.DropIndex(
                name: "step_runs_finished",
                table: "step_runs");
        }
    }
}
