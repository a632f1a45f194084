using System.Text.Json;
using System.Text.Json.Serialization;
using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Live;

/// <summary>
/// The one stream of live figures (server-sent events): everything to begin with, then once a second what has changed.
/// Ends when its viewer may not look any more. Nothing is kept per viewer but what it was last sent.
/// </summary>
internal static class LiveStream
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Adds what the stream stands on.</summary>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">With every problem found.</exception>
    public static IServiceCollection AddLiveStream(this IServiceCollection services, IConfiguration configuration) =>
        services.AddSingleton(LiveOptions.Read(configuration)).AddSingleton<LivePlaces>().AddSingleton<LiveAuthority>();

    public static void Map(RouteGroupBuilder pages) => pages.MapGet("/live", StreamAsync).Needs(OperatorRole.Viewer);

    private static async Task<IResult> StreamAsync(
        HttpContext http,
        Feed feed,
        LivePlaces places,
        LiveAuthority authority,
        IHostApplicationLifetime lifetime
    )
    {
        // The browser has logged in again since: what the page of the earlier login shows must not become another's.
        if (!LiveSession.IsOf(http))
            return Results.StatusCode(StatusCodes.Status409Conflict);
        using var place = places.TryTake(Actor.Of(http).Name, out var refusal);
        if (place is null)
        {
            http.Response.Headers.RetryAfter = "5";
            return Results.StatusCode(refusal);
        }

        // Ends with the process: an open stream would otherwise hold its shutdown up.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            http.RequestAborted,
            lifetime.ApplicationStopping
        );
        using var watch = feed.Watch();
        var viewer = authority.Watch(http);
        try
        {
            http.Response.ContentType = "text/event-stream";
            http.Response.Headers["X-Accel-Buffering"] = "no";
            await SendAsync(http, "retry: 1000\n\n"u8.ToArray(), end.Token);
            Snapshot? sent = null;
            while (true)
            {
                var now = await feed.AfterAsync(sent?.Version ?? 0, end.Token);
                if (!await viewer.HoldsAsync(end.Token))
                    break;
                await SendAsync(http, Write(sent, now), end.Token);
                sent = now;
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The viewer went, or the process stops: the page says so and comes back.
        }
        catch (OperationCanceledException)
        {
            // A viewer that takes nothing for ten seconds; it will connect again.
            http.Abort();
        }

        return Results.Empty;
    }

    private static async Task SendAsync(HttpContext http, byte[] bytes, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        await http.Response.Body.WriteAsync(bytes, limit.Token);
        await http.Response.Body.FlushAsync(limit.Token);
    }

    internal static byte[] Write(Snapshot? sent, Snapshot now)
    {
        var next = sent is not null && now.Version == sent.Version + 1;
        var seconds = next
            ? (int)Math.Clamp(QueueHistory.SecondsBetween(sent!.At, now.At), 0, QueueHistory.Seconds)
            : 0;
        var tick = new Tick(
            Changed(sent?.Values, now.Values),
            Changed(sent?.Colours, now.Colours),
            next ? Depths(now, seconds) : now.Queues.ToDictionary(q => q.Name, q => (object)q.Depths),
            next ? null : now.Points,
            next && now.Points.Length > 0 ? now.Points[^1] : null,
            sent is null || sent.BrokerFault != now.BrokerFault ? now.BrokerFault ?? "" : null
        );
        return [.. "data: "u8, .. JsonSerializer.SerializeToUtf8Bytes(tick, Json), .. "\n\n"u8];
    }

    // A look that took its time is followed by a depth for each second that passed; of a broker that says nothing, by
    // the last that is known. Nothing for a second of which the viewer knows a depth already.
    private static Dictionary<string, object>? Depths(Snapshot now, int seconds) =>
        seconds == 0
            ? null
            : now.Queues.ToDictionary(
                q => q.Name,
                q =>
                    seconds == 1 ? (object)q.Figures.Ready
                    : now.BrokerFault is null ? q.Depths.TakeLast(seconds)
                    : Enumerable.Repeat(q.Figures.Ready, seconds)
            );

    private static Dictionary<string, string>? Changed(
        IReadOnlyDictionary<string, string>? before,
        IReadOnlyDictionary<string, string> now
    )
    {
        var changed = now.Where(v => before is null || !before.TryGetValue(v.Key, out var old) || old != v.Value)
            .ToDictionary();
        return changed.Count == 0 ? null : changed;
    }

    /// <summary>What goes over the wire, in short names: it goes once a second.</summary>
    /// <param name="V">Texts that changed.</param>
    /// <param name="S">Colours that changed.</param>
    /// <param name="D">Depths of queues: one for each second that began since the last tick, or all of the last minute
    /// to begin with.</param>
    /// <param name="H">All points of the charts, to begin with.</param>
    /// <param name="P">The newest point.</param>
    /// <param name="B">The broker's fault; empty when there is none; absent when that has not changed.</param>
    private sealed record Tick(
        Dictionary<string, string>? V,
        Dictionary<string, string>? S,
        Dictionary<string, object>? D,
        IReadOnlyList<double?[]>? H,
        double?[]? P,
        string? B
    );
}
