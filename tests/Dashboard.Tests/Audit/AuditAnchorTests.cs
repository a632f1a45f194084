using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Audit;

/// <summary>
/// Somebody with the owner's login deletes the newest rows of the audit record. The chain of hashes stays whole; an
/// anchor from outside names what is missing.
/// </summary>
internal sealed class AuditAnchorTests : DashboardFixture
{
    private const string Key = "a-key-that-signs-exports-of-the-audit-record";
    private const string NextKey = "the-key-after-the-first-rotation-of-that-key";
    private const int Rows = 10;

    private string _folder = "";

    protected override IEnumerable<(string Name, string? Value)> Settings => [("Audit:SigningKey", Key)];

    [OneTimeSetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("orders-audit-").FullName;

    [OneTimeTearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [SetUp]
    public async Task BeginAnewAsync()
    {
        await DeleteFromAsync(1);
        await WriteAsync(Rows, "written before");
    }

    [Test]
    public async Task Deleting_the_newest_rows_is_invisible_in_the_chain_and_found_with_an_earlier_anchor()
    {
        var anchor = await HeadAsync();
        await DeleteFromAsync(8);

        var alone = (await GetAsync("/api/audit/verification", ViewerKey)).Body;
        Assert.That(alone["intact"]!.GetValue<bool>(), "the chain by itself cannot show it");

        var report = (await GetAsync($"/api/audit/verification?anchor={anchor}", ViewerKey)).Body;
        Assert.That(
            (Number(report, "missingFrom"), Number(report, "missingTo"), report["intact"]!.GetValue<bool>()),
            Is.EqualTo((8L, 10L, false)),
            report.ToJsonString()
        );
    }

    [Test]
    public async Task Writing_others_in_the_place_of_deleted_rows_is_found_and_the_anchors_narrow_it_down()
    {
        var anchors = new List<string>();
        for (var n = 0; n < 3; n++)
        {
            anchors.Add(await HeadAsync());
            await WriteAsync(1, "one more");
        }

        // 13 rows, anchors at 10, 11 and 12; rows from 12 on are replaced.
        await DeleteFromAsync(12);
        await WriteAsync(5, "harmless");
        var report = (await PostAsync("/api/audit/verification", ViewerKey, new { anchors })).Body;
        Assert.That(
            (Number(report, "replacedFrom"), Number(report, "replacedTo"), report["intact"]!.GetValue<bool>()),
            Is.EqualTo((12L, 12L, false)),
            report.ToJsonString()
        );
    }

    [Test]
    public async Task Anchors_of_an_untouched_record_hold_also_when_rows_were_added()
    {
        var anchor = await HeadAsync();
        await WriteAsync(3, "later");
        var report = (await GetAsync($"/api/audit/verification?anchor={anchor}", ViewerKey)).Body;
        Assert.That(
            (report["intact"]!.GetValue<bool>(), Number(report, "records"), Number(report, "anchors")),
            Is.EqualTo((true, 13L, 1L))
        );
    }

    [TestCase("1")]
    [TestCase("x:0000000000000000000000000000000000000000000000000000000000000000")]
    [TestCase("1:000000000000000000000000000000000000000000000000000000000000000")]
    [TestCase("-1:0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task What_is_no_anchor_is_refused(string text)
    {
        var answer = await GetAsync($"/api/audit/verification?anchor={Uri.EscapeDataString(text)}", ViewerKey);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")));
    }

    [Test]
    public async Task An_export_has_every_row_and_is_signed_over_all_of_them()
    {
        var lines = (await GetAsync("/api/audit/export", ViewerKey)).Text.Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        Assert.That(lines, Has.Length.EqualTo(Rows + 1));
        var seal = JsonNode.Parse(lines[^1])!;
        Assert.That(
            seal["sha256"]!.GetValue<string>(),
            Is.EqualTo(
                Convert.ToHexStringLower(
                    SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines[..^1].Select(line => line + "\n"))))
                )
            )
        );
        Assert.That(seal["head"]!.GetValue<string>(), Is.EqualTo(await HeadAsync()));
        Assert.That(await SignatureAsync(seal), Is.EqualTo("valid"));
        foreach (
            var (member, forged) in ((string, JsonNode)[])
                [("head", $"9:{new string('0', 64)}"), ("records", 9), ("sha256", new string('0', 64))]
        )
        {
            var changed = seal.DeepClone();
            changed[member] = forged;
            Assert.That(await SignatureAsync(changed), Is.EqualTo("wrong"), member);
        }
    }

    [Test]
    public async Task An_export_is_verified_after_the_key_was_changed_and_new_ones_have_the_new_key()
    {
        var old = await SealAsync();
        await RestartDashboardAsync(("Audit:SigningKey", NextKey), ("Audit:PreviousSigningKey", Key));
        try
        {
            Assert.That(await SignatureAsync(old), Is.EqualTo("valid"), "signed by the key before");
            var young = await SealAsync();
            Assert.That(await SignatureAsync(young), Is.EqualTo("valid"));
            await RestartDashboardAsync(("Audit:SigningKey", NextKey));
            Assert.That(await SignatureAsync(young), Is.EqualTo("valid"));
            Assert.That(await SignatureAsync(old), Is.EqualTo("wrong"), "the key before is forgotten");
        }
        finally
        {
            await RestartDashboardAsync();
        }
    }

    [Test]
    public async Task Without_a_key_there_is_no_export()
    {
        await RestartDashboardAsync(("Audit:SigningKey", ""));
        try
        {
            var answer = await GetAsync("/api/audit/export", AdminKey);
            Assert.That((answer.Status, answer.Code), Is.EqualTo((409, "no-signing-key")));
        }
        finally
        {
            await RestartDashboardAsync();
        }
    }

    [Test]
    public async Task The_command_names_deleted_rows_from_a_log_an_export_and_a_value()
    {
        var export = Path.Combine(_folder, "export.jsonl");
        var log = Path.Combine(_folder, "dashboard.log");
        var anchor = await HeadAsync();
        var made = await DevAsync("export", "--to", export);
        Assert.That((made.Code, made.Output), Is.EqualTo((0, $"{export}: {Rows} rows, head {anchor}\n")), made.Errors);
        await File.WriteAllTextAsync(
            log,
            $"""
            2026-11-29T10:00:00.000Z warn: Orders.Dashboard[5002] Operator was refused: 99:{new string('a', 64)}
            2026-11-29T10:00:01.000Z info: Audit[1110] Audit record anchored, keep this line outside the database: {anchor}

            """
        );
        foreach (var source in (string[])[export, log, anchor])
        {
            var (code, output, errors) = await DevAsync("verify", "--anchor", source);
            Assert.That((code, output), Is.EqualTo((0, output)), errors);
            Assert.That(output, Does.EndWith("Intact.\n"), source);
        }

        await DeleteFromAsync(8);
        foreach (var source in (string[])[export, log, anchor])
        {
            var (code, output, errors) = await DevAsync("verify", "--anchor", source);
            Assert.That(code, Is.EqualTo(1), errors);
            Assert.That(output, Does.StartWith("Rows 8–10 are missing: they were deleted.\n"), source);
        }

        var (blind, said, _) = await DevAsync("verify");
        Assert.That(blind, Is.Zero);
        Assert.That(said, Does.Contain("Only an anchor shows whether the newest rows were deleted"));
    }

    [Test]
    public async Task The_command_does_not_trust_an_export_that_was_changed()
    {
        var export = Path.Combine(_folder, "changed.jsonl");
        Assert.That((await DevAsync("export", "--to", export)).Code, Is.Zero);
        var lines = await File.ReadAllLinesAsync(export);
        await File.WriteAllLinesAsync(export, [.. lines[..7], lines[^1]]);
        var (code, output, _) = await DevAsync("verify", "--anchor", export);
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.StartWith("The export was changed:"));
    }

    [TestCase("forge")]
    [TestCase("verify", "--anker", "x")]
    [TestCase("verify", "--anchor", "no anchor")]
    public async Task The_command_says_what_it_expects(params string[] arguments)
    {
        var (code, _, errors) = await DevAsync(arguments);
        Assert.That(code, Is.Not.Zero);
        Assert.That(errors, Does.Contain("Expected"));
    }

    private Task<(int Code, string Output, string Errors)> DevAsync(params string[] arguments) =>
        DevCommand.RunAsync(Dashboard.Address, ViewerKey, ["audit", .. arguments]);

    private async Task<JsonNode> SealAsync() =>
        JsonNode.Parse((await GetAsync("/api/audit/export", ViewerKey)).Text.TrimEnd('\n').Split('\n')[^1])!;

    private async Task<string> SignatureAsync(JsonNode seal) =>
        (await PostAsync("/api/audit/verification", ViewerKey, new { seal })).Body["signature"]!.GetValue<string>();

    private async Task<string> HeadAsync() =>
        (await GetAsync("/api/audit/verification", ViewerKey)).Body["head"]!.GetValue<string>();

    private async Task WriteAsync(int count, string reason)
    {
        var log = new AuditLog(TestSystem.Database.Source);
        for (var n = 0; n < count; n++)
            await log.WriteAsync(
                new AuditEntry
                {
                    Who = "anna",
                    Role = "Admin",
                    Action = "test",
                    Reason = reason,
                },
                default
            );
    }

    // The owner of the table may switch its triggers off.
    private Task<int> DeleteFromAsync(long first) =>
        TestSystem.Database.ExecuteAsync(
            $"""
            alter table audit disable trigger audit_unchanged;
            delete from audit where id >= {first};
            alter table audit enable trigger audit_unchanged
            """
        );

    private static long Number(JsonNode report, string member) => report[member]!.GetValue<long>();
}
