using Microsoft.Extensions.DependencyInjection;

namespace Orders.Dashboard.Tests.Live;

/// <summary>A source of live figures whose answer cannot be read, whatever the reason, stops nothing.</summary>
internal sealed class UnreadableSourceTests : DashboardFixture
{
    [Test]
    public async Task Any_exception_of_a_source_leaves_the_last_figures_marked_as_old()
    {
        var feed = Dashboard.Services.GetRequiredService<Orders.Dashboard.Live.Feed>();
        Exception[] faults =
        [
            new OverflowException("TimeSpan overflowed"),
            new ArgumentException("TimeSpan does not accept NaN"),
            new InvalidCastException(),
        ];
        foreach (var fault in faults)
        {
            var (figures, says) = await feed.AskAsync<object>("PostgreSQL", _ => throw fault, null, default);
            Assert.That(figures, Is.Null);
            Assert.That(says, Does.StartWith("PostgreSQL has given no figures since"), fault.GetType().Name);
        }

        Assert.That(
            (await feed.AskAsync<object>("PostgreSQL", _ => throw faults[0], "as before", default)).Fault,
            Is.EqualTo("as before"),
            "said once"
        );
    }
}
