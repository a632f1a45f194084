using Orders.Dashboard.FlowPages;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Tests.Viewing;

internal sealed class FlowDrawingTests
{
    private static readonly StepFlow Flow = new(
        [
            new("email", ["Shop:Accepted", "Shop:Cancelled", "Shop:Rejected"], "smtp", true),
            new("stock", ["Shop:Accepted", "Shop:Cancelled"], null, true),
            new("hook", ["Shop:HookDue"], null, false),
        ],
        [new("accounts", ["Shop:Completed"])]
    );

    [Test]
    public void Each_step_has_an_arrow_from_each_message_that_starts_it_and_from_no_other()
    {
        var drawing = new FlowDrawing(Flow);
        Assert.That(
            drawing.Arrows.Select(a => (a.From.Name, a.To.Name)),
            Is.EquivalentTo([
                ("Accepted", "email"),
                ("Cancelled", "email"),
                ("Rejected", "email"),
                ("Accepted", "stock"),
                ("Cancelled", "stock"),
                ("HookDue", "hook"),
                ("Completed", "accounts"),
            ])
        );
    }

    [Test]
    public void Nothing_stands_upon_another_or_outside_of_the_picture()
    {
        var drawing = new FlowDrawing(Flow);
        var boxes = drawing.Boxes.Select(b => b.Top).ToArray();
        var messages = drawing.Messages.Select(m => m.Top).ToArray();
        Assert.That(boxes.Zip(boxes.Skip(1), (a, b) => b - a), Has.All.GreaterThan(FlowDrawing.StepHeight));
        Assert.That(messages.Zip(messages.Skip(1), (a, b) => b - a), Has.All.GreaterThan(FlowDrawing.MessageHeight));
        Assert.That(boxes.Max() + FlowDrawing.StepHeight, Is.LessThanOrEqualTo(drawing.Height));
        Assert.That(messages.Max() + FlowDrawing.MessageHeight, Is.LessThanOrEqualTo(drawing.Height));
        Assert.That(messages.Min(), Is.Not.Negative);
    }

    [Test]
    public void Without_steps_there_is_a_picture_too() =>
        Assert.That(new FlowDrawing(new StepFlow([], [])).Height, Is.Positive);
}
