using QueueWorkers.Consuming.Acknowledgement;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>An "all up to here" never covers a delivery that is still being worked on.</summary>
public sealed class SettledTagsTests
{
    [TestCase(new ulong[] { }, new ulong[] { 1, 2, 3 }, 3, Description = "from the first delivery on without a gap")]
    [TestCase(new ulong[] { }, new ulong[] { 2, 3 }, 0, Description = "the first is still being worked on")]
    [TestCase(new ulong[] { 1 }, new ulong[] { 2, 4 }, 1, Description = "up to a gap")]
    [TestCase(
        new ulong[] { 2, 3 },
        new ulong[] { 1, 4, 6 },
        2,
        Description = "across deliveries that were settled singly"
    )]
    [TestCase(
        new ulong[] { 2, 3, 4 },
        new ulong[] { 1 },
        1,
        Description = "the last that is named is one of the new ones"
    )]
    [TestCase(new ulong[] { 1, 2 }, new ulong[] { 5 }, 0, Description = "beyond a gap")]
    public void As_many_as_close_the_row_go_together(ulong[] settled, ulong[] tags, int together)
    {
        var known = new SettledTags();
        foreach (var tag in settled)
            known.Settle(tag);
        Assert.That(known.InRowWith(tags), Is.EqualTo(together));
    }

    [Test]
    public void No_order_of_settling_ever_covers_an_open_delivery()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var known = new SettledTags();
            HashSet<ulong> open = [.. Enumerable.Range(1, 60).Select(i => (ulong)i)];
            while (open.Count > 0)
            {
                var tags = open.OrderBy(_ => random.Next()).Take(random.Next(1, 9)).Order().ToArray();
                var together = known.InRowWith(tags);
                open.ExceptWith(tags);
                if (together > 0)
                    Assert.That(
                        open.Where(tag => tag <= tags[together - 1]),
                        Is.Empty,
                        "open deliveries that the ack would cover"
                    );
                Array.ForEach(tags, known.Settle);
            }

            Assert.That(known.InRowWith([61]), Is.EqualTo(1));
        }
    }
}
