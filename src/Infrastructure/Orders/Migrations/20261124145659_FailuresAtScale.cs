using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class FailuresAtScale : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "failures_build",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_fingerprint",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_last_at",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_step",
                table: "failures");

            migrationBuilder.AddColumn<string>(
                name: "depends_on",
                table: "step_catalogue",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "resumed_at",
                table: "redrives",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "redrives_finished",
                table: "redrives",
                column: "finished_at",
                filter: "finished_at is not null");

            migrationBuilder.CreateIndex(
                name: "redrive_items_settled",
                table: "redrive_items",
                column: "settled_at",
                filter: "settled_at is not null");

            migrationBuilder.CreateIndex(
                name: "failures_build",
                table: "failures",
                columns: new[] { "state", "build", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_closed",
                table: "failures",
                column: "closed_at",
                filter: "closed_at is not null");

            migrationBuilder.CreateIndex(
                name: "failures_fingerprint",
                table: "failures",
                columns: new[] { "state", "fingerprint", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_queue",
                table: "failures",
                columns: new[] { "state", "queue", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_step",
                table: "failures",
                columns: new[] { "state", "step", "id" });

            migrationBuilder.CreateIndex(
                name: "alerts_resolved",
                table: "alerts",
                column: "resolved_at",
                filter: "resolved_at is not null");
            // The state is always asked for: in front, as in the indexes above.
            migrationBuilder.Sql("drop index failures_fault; create index failures_fault on failures (state, substring(fault_type from '[^.]+$'), id);");
            migrationBuilder.Sql("drop index failures_type; create index failures_type on failures (state, split_part(message_type, ':', 2), id);");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("drop index failures_fault; create index failures_fault on failures (substring(fault_type from '[^.]+$'), id);");
            migrationBuilder.Sql("drop index failures_type; create index failures_type on failures (split_part(message_type, ':', 2), id);");
            migrationBuilder.DropIndex(
                name: "redrives_finished",
                table: "redrives");

            migrationBuilder.DropIndex(
                name: "redrive_items_settled",
                table: "redrive_items");

            migrationBuilder.DropIndex(
                name: "failures_build",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_closed",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_fingerprint",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_queue",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_step",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "alerts_resolved",
                table: "alerts");

            migrationBuilder.DropColumn(
                name: "depends_on",
                table: "step_catalogue");

            migrationBuilder.DropColumn(
                name: "resumed_at",
                table: "redrives");

            migrationBuilder.CreateIndex(
                name: "failures_build",
                table: "failures",
                columns: new[] { "build", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_fingerprint",
                table: "failures",
                columns: new[] { "fingerprint", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_last_at",
                table: "failures",
                column: "last_at");

            migrationBuilder.CreateIndex(
                name: "failures_step",
                table: "failures",
                columns: new[] { "step", "id" });
        }
    }
}
