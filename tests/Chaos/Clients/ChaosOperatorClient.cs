using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Clients;

/// <summary>What an operator asks to be sent again.</summary>
/// <param name="Filter">Which messages: by step or by queue.</param>
/// <param name="Reason">Why.</param>
/// <param name="Canary">How many are sent first.</param>
/// <param name="RatePerSecond">How many a second after that.</param>
/// <param name="StopPercent">At which share of messages that failed again it stops by itself.</param>
/// <param name="Expect">How many the operator has seen; null when it did not look, or others ask at the same
/// time.</param>
public sealed record RedriveAsked(
    RedriveFilter Filter,
    string Reason,
    int Canary,
    int RatePerSecond,
    int StopPercent,
    int? Expect = null
)
{
    /// <summary>It begins at once.</summary>
    public bool Start { get; } = true;
}

/// <summary>Which messages.</summary>
public sealed record RedriveFilter(string? Step = null, string? Queue = null);

/// <summary>
/// An operator with a key: asks over HTTP what a person would ask, and writes down each call that matters with its
/// answer, one JSON line each. Safe for use by many threads.
/// </summary>
public sealed class ChaosOperatorClient : IDisposable
{
    private const int Page = 100;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly Lock _gate = new();
    private readonly List<OperatorCall> _calls = [];
    private readonly StreamWriter _file;
    private readonly HttpClient _http;

    /// <summary>Creates one.</summary>
    /// <param name="dashboard">The process that has the operator API.</param>
    /// <param name="key">An operator's key.</param>
    /// <param name="file">Where the calls are written to.</param>
    public ChaosOperatorClient(Uri dashboard, string key, string file)
    {
        _file = new StreamWriter(file, append: false) { AutoFlush = true };
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(5),
            }
        )
        {
            BaseAddress = dashboard,
            Timeout = TimeSpan.FromSeconds(20),
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>A copy of the calls so far.</summary>
    public IReadOnlyList<OperatorCall> Calls
    {
        get
        {
            lock (_gate)
                return [.. _calls];
        }
    }

    /// <summary>
    /// Asks what a redrive would do: <see cref="OperatorCall.Total"/> is the number of messages that match.
    /// </summary>
    public async Task<OperatorCall> LookAsync(RedriveAsked asked, CancellationToken cancellationToken) =>
        Note(
            await CallAsync(
                OperatorCall.Look,
                asked.Reason,
                "api/redrives/preview",
                asked,
                static (call, plan) => call with { Total = plan.GetProperty("total").GetInt32() },
                cancellationToken
            )
        );

    /// <summary>
    /// Asks for a redrive: <see cref="OperatorCall.Redrive"/> is the one that was made, or the one that is in the way.
    /// </summary>
    public async Task<OperatorCall> RedriveAsync(RedriveAsked asked, CancellationToken cancellationToken) =>
        Note(await CallAsync(OperatorCall.Redriven, asked.Reason, "api/redrives", asked, Made, cancellationToken));

    /// <summary>Lets a redrive go on that has stopped.</summary>
    public async Task<OperatorCall> ResumeAsync(Guid redrive, string reason, CancellationToken cancellationToken) =>
        Note(
            await CallAsync(
                OperatorCall.Resume,
                reason,
                $"api/redrives/{redrive}/resume",
                new { reason },
                (call, _) => call with { Redrive = redrive },
                cancellationToken
            )
        );

    /// <summary>A redrive as it stands; null without an answer.</summary>
    public async Task<RedriveTotals?> FindAsync(Guid redrive, CancellationToken cancellationToken)
    {
        var (status, answer, _) = await SendAsync(HttpMethod.Get, $"api/redrives/{redrive}", null, cancellationToken);
        return status == 200 ? TotalsOf(answer) : null;
    }

    /// <summary>All redrives; null without an answer.</summary>
    public async Task<IReadOnlyList<RedriveTotals>?> ListAsync(CancellationToken cancellationToken)
    {
        var redrives = new List<RedriveTotals>();
        while (true)
        {
            var (status, answer, _) = await SendAsync(
                HttpMethod.Get,
                redrives is [.., var last] ? $"api/redrives?before={last.Id}" : "api/redrives",
                null,
                cancellationToken
            );
            if (status != 200)
                return null;
            redrives.AddRange(answer.EnumerateArray().Select(TotalsOf));
            if (answer.GetArrayLength() < Page)
                return redrives;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _http.Dispose();
        _file.Dispose();
    }

    private static OperatorCall Made(OperatorCall call, JsonElement made)
    {
        var totals = TotalsOf(made);
        return call with { Redrive = totals.Id, Total = totals.Total };
    }

    private static RedriveTotals TotalsOf(JsonElement progress)
    {
        var redrive = progress.GetProperty("redrive");
        return new RedriveTotals(
            redrive.GetProperty("id").GetGuid(),
            redrive.GetProperty("reason").GetString()!,
            redrive.GetProperty("stage").GetString()!,
            redrive.GetProperty("stoppedBecause").GetString(),
            redrive.GetProperty("total").GetInt32(),
            progress.GetProperty("waiting").GetInt32(),
            progress.GetProperty("sent").GetInt32(),
            progress.GetProperty("done").GetInt32(),
            progress.GetProperty("failedAgain").GetInt32(),
            progress.GetProperty("skipped").GetInt32()
        );
    }

    private async Task<OperatorCall> CallAsync(
        string asked,
        string reason,
        string path,
        object body,
        Func<OperatorCall, JsonElement, OperatorCall> read,
        CancellationToken cancellationToken
    )
    {
        var (status, answer, fault) = await SendAsync(HttpMethod.Post, path, body, cancellationToken);
        var call = new OperatorCall(DateTimeOffset.UtcNow, asked, reason, status, Fault: fault);
        if (call.IsGood)
            return read(call, answer);
        return answer.ValueKind != JsonValueKind.Object
            ? call
            : call with
            {
                Code = answer.TryGetProperty("type", out var type) ? type.GetString()?.Split(':')[^1] : null,
                Redrive = answer.TryGetProperty("redrive", out var other) ? other.GetGuid() : null,
            };
    }

    // No answer, or half of one, is an answer too here: whoever asked asks again.
    private async Task<(int? Status, JsonElement Answer, string? Fault)> SendAsync(
        HttpMethod method,
        string path,
        object? body,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var request = new HttpRequestMessage(method, path)
            {
                Content = body is null ? null : JsonContent.Create(body, options: Json),
            };
            using var answer = await _http.SendAsync(request, cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            var isJson =
                answer.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
            return ((int)answer.StatusCode, isJson ? JsonElement.Parse(text) : default, null);
        }
        catch (Exception fault)
            when (fault is HttpRequestException or IOException or JsonException
                || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return (null, default, (fault.InnerException ?? fault).Message);
        }
    }

    private OperatorCall Note(OperatorCall call)
    {
        var line = JsonSerializer.Serialize(call, Json);
        lock (_gate)
        {
            _calls.Add(call);
            _file.WriteLine(line);
        }

        return call;
    }
}
