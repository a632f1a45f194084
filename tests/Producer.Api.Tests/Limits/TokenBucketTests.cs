using Orders.Producer.Api.Limits;

namespace Orders.Producer.Api.Tests.Limits;

internal sealed class TokenBucketTests
{
    private const long Second = 1000;

    [Test]
    public void A_full_bucket_serves_a_burst_and_then_the_rate()
    {
        var bucket = new TokenBucket(perSecond: 10, capacity: 20, now: 0, frequency: Second);
        Assert.That(Enumerable.Range(0, 25).Count(_ => bucket.TryTake(1, 0) is null), Is.EqualTo(20), "taken at once");
        Assert.That(
            Enumerable.Range(0, 25).Count(_ => bucket.TryTake(1, Second / 2) is null),
            Is.EqualTo(5),
            "taken after half a second"
        );
        Assert.That(
            Enumerable.Range(0, 25).Count(_ => bucket.TryTake(1, 100 * Second) is null),
            Is.EqualTo(20),
            "a pause fills it to its capacity and no further"
        );
    }

    [Test]
    public void Tokens_are_taken_all_or_none_and_the_wait_is_told()
    {
        var bucket = new TokenBucket(perSecond: 2, capacity: 10, now: 0, frequency: Second);
        Assert.That(bucket.TryTake(8, 0), Is.Null);
        Assert.That(bucket.TryTake(5, 0), Is.EqualTo(TimeSpan.FromSeconds(1.5)));
        Assert.That(bucket.TryTake(2, 0), Is.Null, "the refusal took nothing");
    }

    [Test]
    public void A_clock_that_was_read_earlier_takes_nothing_back()
    {
        var bucket = new TokenBucket(perSecond: 1, capacity: 5, now: 0, frequency: Second);
        Assert.That(bucket.TryTake(5, 2 * Second), Is.Null);
        Assert.That(bucket.TryTake(1, Second), Is.EqualTo(TimeSpan.FromSeconds(1)));
    }
}
