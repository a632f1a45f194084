using System.Text.Json;
using System.Text.Json.Serialization;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Clients;

/// <summary>
/// What a client did and was told, one JSON line per event, written before the request leaves and after its answer is
/// there. Safe for use by many threads.
/// The file is evidence by itself: <see cref="ReadAsync"/> reads it back, and the checker can be run again on it.
/// </summary>
public sealed class History : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly Lock _gate = new();
    private readonly List<HistoryEvent> _events = [];
    private readonly StreamWriter? _file;

    /// <summary>Begins a history.</summary>
    /// <param name="file">Where to write it; null keeps it in memory only.</param>
    public History(string? file = null) =>
        _file = file is null ? null : new StreamWriter(file, append: false) { AutoFlush = true };

    /// <summary>A copy of the events so far.</summary>
    public IReadOnlyList<HistoryEvent> Events
    {
        get
        {
            lock (_gate)
                return [.. _events];
        }
    }

    /// <summary>Adds a line.</summary>
    public void Add(HistoryEvent line)
    {
        var text = _file is null ? "" : JsonSerializer.Serialize(line, Json);
        lock (_gate)
        {
            _events.Add(line);
            _file?.WriteLine(text);
        }
    }

    /// <summary>Reads a history back.</summary>
    public static async Task<IReadOnlyList<HistoryEvent>> ReadAsync(
        string file,
        CancellationToken cancellationToken = default
    )
    {
        var events = new List<HistoryEvent>();
        await foreach (var line in File.ReadLinesAsync(file, cancellationToken))
            events.Add(JsonSerializer.Deserialize<HistoryEvent>(line, Json)!);
        return events;
    }

    /// <summary>
    /// What the client knows of each order in the end: one 2xx makes it accepted, whatever came before; a 4xx makes it
    /// refused; everything else leaves it open.
    /// </summary>
    public static IReadOnlyList<PostedOrder> Fold(IEnumerable<HistoryEvent> events) =>
        [
            .. events
                .GroupBy(e => e.Key)
                .Select(key =>
                {
                    var first = key.First(e => e.Address is not null);
                    var outcome =
                        key.Any(e => e.Event == HistoryEvent.Ok) ? Outcome.Accepted
                        : key.Any(e => e.Event == HistoryEvent.Failed) ? Outcome.Refused
                        : Outcome.Unknown;
                    return new PostedOrder(
                        key.Key,
                        first.Address!,
                        outcome,
                        [.. key.Where(e => e.OrderId is not null).Select(e => e.OrderId!.Value).Distinct()],
                        first.Lines ?? []
                    );
                }),
        ];

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_file is not null)
            await _file.DisposeAsync();
    }
}
