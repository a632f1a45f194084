using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Auth;

/// <summary>What a flood of made-up operator keys does to an operator whose key is right.</summary>
internal sealed class UnknownKeyFloodTests
{
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(30);

    [Test]
    public async Task A_flood_of_unknown_operator_keys_does_not_hold_up_a_known_one()
    {
        var never = new TaskCompletionSource<OperatorAccount?>();
        using var unknown = new UnknownCredentialLane();
        var keys = new KeyLookup(
            (key, _) =>
                key == "op_otto"
                    ? Task.FromResult<OperatorAccount?>(new OperatorAccount { Name = "otto" })
                    : never.Task,
            unknown
        );
        Assert.That(await keys.FindAsync("op_otto", default), Is.Not.Null);

        var flood = Enumerable.Range(0, 100).Select(i => keys.FindAsync($"op_{i}", default)).ToArray();
        Assert.That(await keys.FindAsync("op_otto", default).WaitAsync(LongEnough), Is.Not.Null);
        await Eventually.That(() => flood.Count(t => t.IsFaulted), Is.EqualTo(98), "refused");
        Assert.That(
            flood.Where(t => t.IsFaulted).Select(t => t.Exception!.InnerException),
            Is.All.InstanceOf<UnknownCredentialsBusyException>()
        );
        never.SetResult(null);
        await Eventually.That(() => flood.All(t => t.IsCompleted), Is.True, "everybody answered");
    }
}
