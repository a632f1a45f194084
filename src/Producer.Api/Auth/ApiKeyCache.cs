using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;

namespace Orders.Producer.Api.Auth;

/// <summary>
/// Who speaks for which key, remembered for a few seconds, wrong keys included. A revoked key is dead within
/// <see cref="MaxAge"/> plus one query, under 5 s; a key in steady use is asked for in the background, so that no
/// request waits for the database.
/// </summary>
internal sealed class ApiKeyCache : IDisposable
{
    /// <summary>
    /// How old an answer may be. Counted from before the question: what is revoked meanwhile is asked for again in
    /// time.
    /// </summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan RefreshAge = TimeSpan.FromSeconds(2);

    // Valid keys are as many as there are; wrong ones as many as somebody cares to send.
    private const int MostWrongKeys = 10_000;

    // A flood of wrong keys gets two connections and no more; keys that were right the last time have two of their own,
    // so that the flood does not hold them up. Orders need the others.
    private const int Questions = 2;

    // An unknown key waits this long for one of the two; a longer queue would only grow.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Func<byte[], CancellationToken, Task<KnownClient?>> _find;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _known = new(Questions);
    private readonly SemaphoreSlim _unknown = new(Questions);
    private readonly ConcurrentDictionary<Hash, Entry> _entries = new();

    // As many as there are valid keys.
    private readonly ConcurrentDictionary<Hash, byte> _right = new();
    private int _wrongKeys;

    /// <summary>Asks the database.</summary>
    public ApiKeyCache(ApiKeyReader reader, TimeProvider time)
        : this(reader.FindAsync, time) { }

    /// <summary>Asks whoever it is told to.</summary>
    internal ApiKeyCache(Func<byte[], CancellationToken, Task<KnownClient?>> find, TimeProvider time) =>
        (_find, _time) = (find, time);

    /// <summary>Finds the caller behind a key.</summary>
    /// <param name="key">The key; it must be well formed.</param>
    /// <returns>The caller; null when there is none, for whatever reason.</returns>
    /// <exception cref="System.Data.Common.DbException">The database cannot be asked.</exception>
    /// <exception cref="KeysBusyException">Too many unknown keys wait for it.</exception>
    public ValueTask<Caller?> FindAsync(ReadOnlySpan<char> key)
    {
        var hash = Hash.Of(key);
        while (true)
        {
            var known = _entries.TryGetValue(hash, out var entry);
            if (known && _time.GetElapsedTime(entry!.AskedAt) is var age && age < MaxAge)
            {
                if (age > RefreshAge && entry.BeginRefresh())
                    _ = AskAsync(hash, new Entry(_time.GetTimestamp()), entry);
                return entry.Answer.IsCompletedSuccessfully ? new(Unexpired(entry.Answer.Result)) : WaitAsync(entry);
            }

            var fresh = new Entry(_time.GetTimestamp());
            if (known ? _entries.TryUpdate(hash, fresh, entry!) : _entries.TryAdd(hash, fresh))
            {
                _ = AskAsync(hash, fresh, null);
                return WaitAsync(fresh);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _known.Dispose();
        _unknown.Dispose();
    }

    private async ValueTask<Caller?> WaitAsync(Entry entry) => Unexpired(await entry.Answer);

    private Caller? Unexpired(Caller? caller) =>
        caller is { ExpiresAt: { } end } && end <= _time.GetUtcNow() ? null : caller;

    /// <summary>
    /// Asks the database. Never throws: the answer or the failure goes to those who wait for the entry.
    /// </summary>
    private async Task AskAsync(Hash hash, Entry fresh, Entry? inUse)
    {
        try
        {
            var client = await AskInTurnAsync(hash);
            if (client is null)
                _right.TryRemove(hash, out _);
            else
                _right.TryAdd(hash, 0);
            fresh.Complete(client is null ? null : new Caller(client));
            if (inUse is not null)
                _entries.TryUpdate(hash, fresh, inUse);
            if (client is null && Interlocked.Increment(ref _wrongKeys) > MostWrongKeys)
                ForgetWrongKeys();
        }
#pragma warning disable CA1031 // Handed to those who wait. A refresh in the background has nobody who waits: the old answer serves until it is too old, then a request asks itself.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _entries.TryRemove(new KeyValuePair<Hash, Entry>(hash, fresh));
            fresh.Fail(exception);
        }
    }

    private async Task<KnownClient?> AskInTurnAsync(Hash hash)
    {
        var isKnown = _right.ContainsKey(hash);
        var turn = isKnown ? _known : _unknown;
        if (!await turn.WaitAsync(isKnown ? Timeout.InfiniteTimeSpan : Patience))
            throw new KeysBusyException();
        try
        {
            return await _find(hash.ToArray(), CancellationToken.None);
        }
        finally
        {
            turn.Release();
        }
    }

    // The count is of wrong answers since the last time, never less than the wrong keys that are remembered.
    private void ForgetWrongKeys()
    {
        Volatile.Write(ref _wrongKeys, 0);
        foreach (var known in _entries)
        {
            if (known.Value.IsWrongKey)
                _entries.TryRemove(known);
        }
    }

    private sealed class Entry(long askedAt)
    {
        private readonly TaskCompletionSource<Caller?> _answer = new(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        private int _refreshing;

        public long AskedAt { get; } = askedAt;

        public Task<Caller?> Answer => _answer.Task;

        public bool IsWrongKey => Answer is { IsCompletedSuccessfully: true, Result: null };

        public bool BeginRefresh() => Answer.IsCompleted && Interlocked.Exchange(ref _refreshing, 1) == 0;

        public void Complete(Caller? caller) => _answer.SetResult(caller);

        public void Fail(Exception exception)
        {
            _answer.SetException(exception);
            // Looked at here, so that a failure that nobody waits for does not end as an unobserved one.
            _ = _answer.Task.Exception;
        }
    }

    /// <summary>A SHA-256 as a dictionary key. Its first bytes are as good a hash code as any.</summary>
    private readonly record struct Hash(ulong A, ulong B, ulong C, ulong D)
    {
        public static Hash Of(ReadOnlySpan<char> key)
        {
            Span<ulong> words = stackalloc ulong[ApiKeyHash.Length / sizeof(ulong)];
            ApiKeyHash.Write(key, MemoryMarshal.AsBytes(words));
            return new Hash(words[0], words[1], words[2], words[3]);
        }

        public byte[] ToArray() => MemoryMarshal.AsBytes([A, B, C, D]).ToArray();

        public override int GetHashCode() => (int)A;
    }
}
