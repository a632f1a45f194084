using Microsoft.Extensions.Options;
using Orders.OutsideWorld.Storage;

namespace Orders.OutsideWorld.Warehouse;

/// <summary>
/// Every call the warehouse has received: one entry for each accepted key, however often it came, and one for each
/// failure.
/// Safe for use by many threads.
/// </summary>
public sealed class WarehouseLedger : IDisposable
{
    private readonly Lock gate = new();
    private readonly List<WarehouseCall> calls = [];
    private readonly Dictionary<string, int> acceptedByKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<int>> byOrder = new(StringComparer.OrdinalIgnoreCase);
    private readonly TimeProvider clock;
    private readonly JsonLines<WarehouseCall>? file;

    /// <summary>Opens the ledger and reads back what an earlier run has left in the data directory.</summary>
    /// <param name="options">Says where the file is, if there is one.</param>
    /// <param name="clock">Tells when calls arrive.</param>
    /// <param name="logger">Told how much was read back.</param>
    /// <exception cref="IOException">The file cannot be used or holds something that is no call.</exception>
    public WarehouseLedger(IOptions<OutsideWorldOptions> options, TimeProvider clock, ILogger<WarehouseLedger> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.clock = clock;
        file = JsonLines<WarehouseCall>.Open(options.Value.DataDirectory, "warehouse.jsonl", logger, Put);
    }

    /// <summary>Every entry, in the order of arrival.</summary>
    public IReadOnlyList<WarehouseCall> Calls
    {
        get
        {
            lock (gate)
                return [.. calls];
        }
    }

    /// <summary>How many entries there are.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return calls.Count;
        }
    }

    /// <summary>Lists what was received about one order, in the order of arrival.</summary>
    /// <param name="orderId">The order, in any case.</param>
    /// <returns>A copy, which later calls do not change.</returns>
    public IReadOnlyList<WarehouseCall> Of(string orderId)
    {
        lock (gate)
            return byOrder.TryGetValue(orderId, out var numbers) ? [.. numbers.Select(number => calls[number])] : [];
    }

    /// <summary>Forgets every call and every accepted key, on disk too.</summary>
    public void Clear()
    {
        lock (gate)
        {
            file?.Clear();
            calls.Clear();
            acceptedByKey.Clear();
            byOrder.Clear();
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => file?.Dispose();

    /// <summary>Lists the newest entries first.</summary>
    internal IReadOnlyList<WarehouseCall> Newest(int offset, int limit)
    {
        lock (gate)
        {
            var length = Math.Clamp(calls.Count - offset, 0, limit);
            var page = length == 0 ? [] : calls.GetRange(calls.Count - offset - length, length);
            page.Reverse();
            return page;
        }
    }

    /// <summary>Records a call that was not accepted, as an entry of its own.</summary>
    internal WarehouseCall RecordFailure(string? orderId, string? key, int answer)
    {
        lock (gate)
            return Write(NewEntry(orderId, key, answer));
    }

    /// <summary>
    /// Accepts a call, or recognizes one that was accepted before. Looking and writing are one step, or two calls at
    /// once would both be new.
    /// </summary>
    /// <returns>
    /// The entry; its answer is 422 when the key was used for another order, which is a bug of the caller and has no
    /// effect, and 410 when the order had been recalled.
    /// </returns>
    internal WarehouseCall Accept(string orderId, string key, bool isRecall = false)
    {
        lock (gate)
        {
            if (!acceptedByKey.TryGetValue(key, out var number))
                return Write(
                    NewEntry(
                        orderId,
                        key,
                        !isRecall && IsRecalled(orderId) ? StatusCodes.Status410Gone : StatusCodes.Status200OK
                    ) with
                    {
                        IsRecall = isRecall,
                    }
                );
            var before = calls[number];
            return string.Equals(before.OrderId, orderId, StringComparison.OrdinalIgnoreCase)
                ? Write(before with { Repeats = before.Repeats + 1 })
                : Write(NewEntry(orderId, key, StatusCodes.Status422UnprocessableEntity));
        }
    }

    private bool IsRecalled(string orderId) =>
        byOrder.TryGetValue(orderId, out var numbers)
        && numbers.Exists(n => calls[n] is { IsRecall: true, IsAccepted: true });

    private WarehouseCall NewEntry(string? orderId, string? key, int answer) =>
        new()
        {
            Number = calls.Count,
            OrderId = orderId,
            IdempotencyKey = key,
            ReceivedAt = clock.GetUtcNow(),
            Answer = answer,
        };

    // A repeat is written as the whole entry again; when the file is read back, the last line of a number counts.
    private WarehouseCall Write(WarehouseCall call)
    {
        file?.Append(call);
        Put(call);
        return call;
    }

    private void Put(WarehouseCall call)
    {
        if (call.Number < calls.Count)
        {
            calls[call.Number] = call;
            return;
        }

        calls.Add(call);
        if (call.IsAccepted && call.IdempotencyKey is { } key)
            acceptedByKey[key] = call.Number;
        if (call.OrderId is { } order)
        {
            if (!byOrder.TryGetValue(order, out var numbers))
                byOrder[order] = numbers = new List<int>(1);
            numbers.Add(call.Number);
        }
    }
}
