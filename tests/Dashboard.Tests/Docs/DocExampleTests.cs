using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace Orders.Dashboard.Tests.Docs;

/// <summary>
/// The examples of README.md and of the pages of docs, run against an installation with the API, the dashboard, all
/// steps and an outside world. CONTRIBUTING.md, "How blocks are marked", has the rules.
/// </summary>
internal sealed partial class DocExampleTests : ShopFixture
{
    private static readonly string[] Runnable =
    [
        "cancel",
        "drain",
        "failures",
        "limit",
        "pause",
        "post",
        "redrive",
        "replay",
        "resume",
        "undrain",
    ];

    private static readonly IReadOnlyList<DocBlock> Blocks =
    [
        .. Repository.Pages.SelectMany(page =>
            DocBlock.Of(page, File.ReadAllText(Path.Combine(Repository.Root, page)))
        ),
    ];

    private readonly HttpClient _http = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("doc-examples").FullName;
    private ShopApi _api = null!;
    private Guid _order;

    private static IEnumerable<string> PagesWithExamples =>
        Blocks.Where(IsExample).Select(block => block.Page).Distinct();

    [OneTimeSetUp]
    public async Task StartAllAsync()
    {
        _api = await ShopApi.StartAsync(TestSystem);
        var worker = await WorkAsync("*");
        var order = (await OrdersAsync(1)).Single() with { ClientId = ShopApi.Client };
        await PostAsync(worker, [order]);
        _order = order.Id;
        await Eventually.That(
            async () => (await SendAsync("GET", $"/orders/{_order}", null)).Body["status"]?.GetValue<string>(),
            Is.EqualTo("Completed"),
            "status of the order that examples look at"
        );
    }

    [OneTimeTearDown]
    public async Task StopAllAsync()
    {
        _http.Dispose();
        if (_api is not null)
            await _api.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [TestCaseSource(nameof(PagesWithExamples))]
    public async Task Each_example_of_a_page_does_what_the_page_shows(string page)
    {
        try
        {
            Answer? last = null;
            foreach (var block in Blocks.Where(b => b.Page == page && IsExample(b)))
                last = block.Language == "console" ? await RunAsync(block) ?? last : await CallAsync(block, last);
        }
        finally
        {
            await ResetAsync();
        }
    }

    [Test]
    public void Each_block_is_run_or_says_why_not()
    {
        var shells = Blocks.Where(b => b.Language is "sh" or "bash" or "shell" or "zsh");
        var leftOut = Blocks.Where(b => b.IsLeftOut).ToArray();
        var run = Blocks.Count(IsExample);
        TestContext.Out.WriteLine($"{run} blocks are run, {leftOut.Length} are marked no-run:");
        foreach (var block in leftOut)
            TestContext.Out.WriteLine($"  {block}: {block.Reason}");
        Assert.Multiple(() =>
        {
            Assert.That(shells, Is.Empty, "blocks to mark as console");
            Assert.That(leftOut.Where(b => b.Reason == ""), Is.Empty, "no-run without '<!-- no-run: reason -->' above");
            Assert.That(leftOut, Has.Length.LessThan(run), "blocks marked no-run, compared with those that run");
        });
    }

    private static bool IsExample(DocBlock block) => block is { Language: "console" or "json", IsLeftOut: false };

    // A console block. Returns the answer of its last call when that is JSON.
    private async Task<Answer?> RunAsync(DocBlock block)
    {
        Answer? last = null;
        foreach (var (written, shown) in block.Commands())
        {
            if (written == "./dev up" || KeyOfEnv().IsMatch(written))
                continue;
            var name = Command().Match(written).Groups["name"].Value;
            Assert.That(
                written.StartsWith("curl ", StringComparison.Ordinal) || Runnable.Contains(name),
                $"{block}: '{written}' cannot run here; mark the block no-run, and say why above it"
            );
            var command = await HereAsync(written);
            // Only looks may be repeated, until what was asked for before has happened.
            var looks = name == "failures" || (name == "" && !Sends().IsMatch(written));
            IReadOnlyList<string> problems = [];
            await Eventually.That(
                async () =>
                {
                    (problems, last) = await ProblemsAsync(command, shown);
                    return problems.Count == 0 || !looks;
                },
                Is.True,
                $"{block}: '{written}'"
            );
            Assert.That(problems, Is.Empty, $"{block}: '{written}'");
        }

        return last;
    }

    private async Task<(IReadOnlyList<string> Problems, Answer? Answer)> ProblemsAsync(string command, string[] shown)
    {
        var (code, output, errors) = await BashAsync(command);
        var statuses = Status().Matches(errors).Select(m => m.Groups[1].Value).ToArray();
        var expected = shown.Select(line => ShownStatus().Match(line)).FirstOrDefault(m => m.Success)?.Groups[1].Value;
        var found = $"exit code {code}, status {string.Join(" ", statuses)}: {output}{errors}";
        List<string> problems =
        [
            .. ShownOutput.Missing(shown, output + errors).Select(line => $"'{line}' is not in the output"),
        ];
        if (code != 0)
            problems.Add($"exit code {code}");
        if (!statuses.All(status => expected is null ? status.StartsWith('2') : status == expected))
            problems.Add($"expected status {expected ?? "2xx"}");
        if (problems.Count > 0)
            problems.Add(found);
        var body = output.Split('\n').LastOrDefault(line => ShownOutput.Parsed(line) is not null);
        return (
            problems,
            body is null
                ? null
                : new Answer(int.Parse(statuses.LastOrDefault("0"), CultureInfo.InvariantCulture), null, body)
        );
    }

    // A json block: `request METHOD PATH STATUS`, `answer`, or `answer METHOD PATH STATUS`.
    private async Task<Answer> CallAsync(DocBlock block, Answer? last)
    {
        var call = Call().Match(string.Join(' ', block.Words));
        Assert.That(
            call.Success,
            $"{block}: 'json request METHOD PATH STATUS', 'json answer', 'json answer METHOD PATH STATUS' or 'json no-run' begins the block"
        );
        var isRequest = call.Groups["kind"].Value == "request";
        var answer = last;
        if (call.Groups["path"].Success)
        {
            var sent = isRequest ? block.Text : null;
            answer = await SendAsync(call.Groups["method"].Value, await HereAsync(call.Groups["path"].Value), sent);
            Assert.That(
                answer.Status.ToString(CultureInfo.InvariantCulture),
                Is.EqualTo(call.Groups["status"].Value),
                $"{block}: {answer}"
            );
        }

        Assert.That(answer, Is.Not.Null, $"{block}: a request stands above the answer");
        if (!isRequest)
        {
            var shown = ShownOutput.Parsed(block.Text);
            Assert.That(shown, Is.Not.Null, $"{block} is JSON");
            Assert.That(ShownOutput.Differences(shown, answer!.Body), Is.Empty, $"{block}: {answer}");
        }

        return answer!;
    }

    private async Task<Answer> SendAsync(string method, string path, string? body)
    {
        var (host, key) =
            path.StartsWith("/api/", StringComparison.Ordinal) ? (Dashboard.Address, AdminKey)
            : OfTheWorld().IsMatch(path) ? (World.BaseUri, "")
            : (_api.Address, ShopApi.Key);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(host, path));
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key != "")
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await _http.SendAsync(request);
        return new Answer(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync()
        );
    }

    // With the addresses of this installation, and with ids of what it has.
    private async Task<string> HereAsync(string text)
    {
        foreach (var (port, host) in new[] { (8080, _api.Address), (8081, Dashboard.Address), (8025, World.BaseUri) })
            text = text.Replace($"127.0.0.1:{port}", host.Authority, StringComparison.Ordinal);
        (string Kind, Func<Task<Guid>> Id)[] known =
        [
            ("orders", () => Task.FromResult(_order)),
            ("failures", FailureAsync),
            ("redrives", RedriveAsync),
        ];
        foreach (var (kind, id) in known)
        {
            var ids = new Regex($$"""(?<=\b{{kind}}/)(?:\{id\}|[0-9a-f]{8}-[0-9a-f-]*…?)""");
            if (ids.IsMatch(text))
                text = ids.Replace(text, (await id()).ToString());
        }

        return Dev().Replace(text, $"bash '{Path.Combine(Repository.Root, "dev")}'");
    }

    private async Task<Guid> FailureAsync()
    {
        if (await TestSystem.Database.CountAsync("failures") == 0)
        {
            await DeadLetterAsync([_order]);
            await UntilFailuresAsync(QueueWorkers.DeadLetters.FailureState.Failed, 1);
        }

        return await NewestAsync("failures", "last_at");
    }

    private async Task<Guid> RedriveAsync()
    {
        Assert.That(
            await TestSystem.Database.CountAsync("redrives"),
            Is.Positive,
            "redrives when a page shows one; an example before it makes one"
        );
        return await NewestAsync("redrives", "created_at");
    }

    private async Task<Guid> NewestAsync(string table, string order)
    {
        await using var command = TestSystem.Database.Source.CreateCommand(
            $"select id from {table} order by {order} desc limit 1"
        );
        return (Guid)(await command.ExecuteScalarAsync())!;
    }

    private async Task<(int Code, string Output, string Errors)> BashAsync(string command)
    {
        var start = new ProcessStartInfo("bash")
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(
            $$"""curl() { command curl -sS --max-time 30 -w '%{stderr}\nSTATUS %{http_code}\n' "$@"; }{{"\n"}}{{command}}"""
        );
        (string Name, string Value)[] settings =
        [
            ("BIND_ADDRESS", "127.0.0.1"),
            ("API_PORT", $"{_api.Address.Port}"),
            ("DASHBOARD_PORT", $"{Dashboard.Address.Port}"),
            ("OUTSIDE_WORLD_PORT", $"{World.BaseUri.Port}"),
            ("ORDERS_API_KEY", ShopApi.Key),
            ("ORDERS_OPERATOR_KEY", AdminKey),
        ];
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var errors = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    // What a page has switched must not disturb the next one.
    private async Task ResetAsync()
    {
        await BehaveAsync(new { smtp = new { mode = "ok" }, warehouse = new { mode = "ok" } });
        const string because = "the page has ended";
        foreach (var step in (await GetAsync("/api/steps", AdminKey)).Body.AsArray())
        {
            var path = $"/api/steps/{step!["step"]!.GetValue<string>()}";
            if (step["paused"]!.GetValue<bool>())
                await PostAsync($"{path}/resume", AdminKey, new { reason = because });
            if (step["rates"] is not null)
                await SendAsync(
                    HttpMethod.Put,
                    $"{path}/rates",
                    AdminKey,
                    new { rates = (string?)null, reason = because }
                );
            if (step["replicaLimit"] is not null || step["totalLimit"] is not null)
                await SendAsync(
                    HttpMethod.Put,
                    $"{path}/concurrency",
                    AdminKey,
                    new
                    {
                        perReplica = (int?)null,
                        total = (int?)null,
                        reason = because,
                    }
                );
        }
    }

    // A reader stands in the repository, an example in a folder of its own.
    [GeneratedRegex(@"^(ORDERS_(?:API|OPERATOR)_KEY)=\$\(sed -n 's/\^\1=//p' \.env\)$")]
    private static partial Regex KeyOfEnv();

    [GeneratedRegex(@"(?<![\w/])\./dev\b")]
    private static partial Regex Dev();

    [GeneratedRegex(@"^\./dev (?<name>[a-z]+)\b")]
    private static partial Regex Command();

    // curl sends something, or something else than GET.
    [GeneratedRegex(@"\s(?:-X|--request|-d|--data\S*|--json|-F)\b")]
    private static partial Regex Sends();

    [GeneratedRegex("^/(?:behaviour|mails|warehouse)\\b")]
    private static partial Regex OfTheWorld();

    [GeneratedRegex(@"^STATUS (\d{3})$", RegexOptions.Multiline)]
    private static partial Regex Status();

    [GeneratedRegex(@"^HTTP/[\d.]+ (\d{3})\b")]
    private static partial Regex ShownStatus();

    [GeneratedRegex(
        @"^json (?:(?<kind>request|answer) (?<method>[A-Z]+) (?<path>/\S*) (?<status>\d{3})|(?<kind>answer))$"
    )]
    private static partial Regex Call();
}
