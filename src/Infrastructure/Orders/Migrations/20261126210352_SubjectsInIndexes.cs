using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Orders.Infrastructure.Orders.Migrations
{
    /// <inheritdoc />
    public partial class SubjectsInIndexes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "failures_state",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_step",
                table: "failures");

            migrationBuilder.CreateIndex(
                name: "failures_state",
                table: "failures",
                columns: new[] { "state", "id" })
                .Annotation("Npgsql:IndexInclude", new[] { "subject_id" });

            migrationBuilder.CreateIndex(
                name: "failures_step",
                table: "failures",
                columns: new[] { "state", "step", "id" })
                .Annotation("Npgsql:IndexInclude", new[] { "subject_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "failures_state",
                table: "failures");

            migrationBuilder.DropIndex(
                name: "failures_step",
                table: "failures");

            migrationBuilder.CreateIndex(
                name: "failures_state",
                table: "failures",
                columns: new[] { "state", "id" });

            migrationBuilder.CreateIndex(
                name: "failures_step",
                table: "failures",
                columns: new[] { "state", "step", "id" });
        }
    }
}
