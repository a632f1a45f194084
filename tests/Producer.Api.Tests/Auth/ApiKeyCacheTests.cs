using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Tests.Auth;

/// <summary>What a flood of made-up keys does to those whose key is right.</summary>
internal sealed class ApiKeyCacheTests
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(15);

    [Test]
    public async Task A_flood_of_unknown_keys_does_not_hold_up_a_known_one()
    {
        var clock = new Clock();
        var never = new TaskCompletionSource<KnownClient?>();
        var asked = 0;
        var flooded = false;
        using var cache = new ApiKeyCache(
            (_, _) =>
            {
                if (Volatile.Read(ref flooded))
                    return never.Task;
                Interlocked.Increment(ref asked);
                return Task.FromResult<KnownClient?>(new KnownClient("alice", ["orders:read"], null));
            },
            clock
        );
        Assert.That(await cache.FindAsync("ok_alice"), Is.Not.Null);
        Volatile.Write(ref flooded, true);
        var flood = Enumerable.Range(0, 1000).Select(i => cache.FindAsync($"ok_{i}").AsTask()).ToArray();
        Volatile.Write(ref flooded, false);

        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.That(await cache.FindAsync("ok_alice"), Is.Not.Null, "the remembered answer");
        await Eventually.That(() => Volatile.Read(ref asked), Is.EqualTo(2), "refreshed in the background");
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(await cache.FindAsync("ok_alice").AsTask().WaitAsync(LongEnough), Is.Not.Null, "after a pause");

        never.SetResult(null);
        await Eventually.That(() => flood.All(t => t.IsCompleted), Is.True, "everybody answered");
    }

    [Test]
    public async Task Of_a_flood_of_unknown_keys_most_are_refused_and_none_is_taken_for_right_or_wrong()
    {
        var never = new TaskCompletionSource<KnownClient?>();
        using var cache = new ApiKeyCache((_, _) => never.Task, new Clock());
        var flood = Enumerable.Range(0, 100).Select(i => cache.FindAsync($"ok_{i}").AsTask()).ToArray();
        await Eventually.That(() => flood.Count(t => t.IsFaulted), Is.EqualTo(98), "refused");
        Assert.That(
            flood.Where(t => t.IsFaulted).Select(t => t.Exception!.InnerException),
            Is.All.InstanceOf<KeysBusyException>()
        );

        never.SetResult(new KnownClient("bob", ["orders:read"], null));
        Assert.That(await cache.FindAsync("ok_99").AsTask().WaitAsync(LongEnough), Is.Not.Null, "refused before");
    }

    [Test]
    public async Task A_revoked_key_is_unknown_again()
    {
        var clock = new Clock();
        var answers = new ConcurrentQueue<KnownClient?>([new("alice", ["orders:read"], null), null]);
        var never = new TaskCompletionSource<KnownClient?>();
        using var cache = new ApiKeyCache(
            (_, _) => answers.TryDequeue(out var answer) ? Task.FromResult(answer) : never.Task,
            clock
        );
        Assert.That(await cache.FindAsync("ok_alice"), Is.Not.Null);
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.That(await cache.FindAsync("ok_alice"), Is.Null);

        Task[] flood = [cache.FindAsync("ok_1").AsTask(), cache.FindAsync("ok_2").AsTask()];
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.ThrowsAsync<KeysBusyException>(async () =>
            await cache.FindAsync("ok_alice").AsTask().WaitAsync(LongEnough)
        );
        never.SetResult(null);
        await Task.WhenAll(flood);
    }

    [Test]
    public async Task Who_is_refused_in_a_flood_of_unknown_keys_is_told_to_come_back()
    {
        var context = new DefaultHttpContext();
        await new ProblemPages(
            _ => throw new KeysBusyException(),
            new UnavailableLog(new Clock()),
            NullLogger<ProblemPages>.Instance
        ).InvokeAsync(context);
        Assert.That(
            (context.Response.StatusCode, context.Response.Headers.RetryAfter.ToString()),
            Is.EqualTo((503, "2"))
        );
    }

    private sealed class Clock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
    }
}
