using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Orders.Dashboard.Layout;

/// <summary>A text in a drawing. A component, because Razor keeps the tag <c>text</c> for itself.</summary>
public sealed class SvgText : ComponentBase
{
    /// <summary>From the left.</summary>
    [Parameter, EditorRequired]
    public string X { get; set; } = "";

    /// <summary>From the top, to the line the letters stand on.</summary>
    [Parameter, EditorRequired]
    public int Y { get; set; }

    /// <summary>What it says.</summary>
    [Parameter, EditorRequired]
    public string Says { get; set; } = "";

    /// <summary>Its class.</summary>
    [Parameter]
    public string? Class { get; set; }

    /// <summary>Which end of it is at <see cref="X"/>: start, middle, end.</summary>
    [Parameter]
    public string? Anchor { get; set; }

    /// <summary>The key of the live figure that it shows; null for a text that stays.</summary>
    [Parameter]
    public string? Live { get; set; }

    /// <summary>What stands before the figure, quieter.</summary>
    [Parameter]
    public string? Before { get; set; }

    /// <summary>What stands behind the figure, such as its unit.</summary>
    [Parameter]
    public string? After { get; set; }

    /// <inheritdoc />
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        builder.OpenElement(0, "text");
        builder.AddAttribute(1, "x", X);
        builder.AddAttribute(2, "y", Y);
        builder.AddAttribute(3, "class", Class);
        builder.AddAttribute(4, "text-anchor", Anchor);
        if (Before is not null)
        {
            builder.OpenElement(5, "tspan");
            builder.AddAttribute(6, "class", "sub");
            builder.AddContent(7, $"{Before}\u00a0\u00a0");
            builder.CloseElement();
        }

        builder.OpenElement(8, "tspan");
        builder.AddAttribute(9, "data-live", Live);
        builder.AddContent(10, Says);
        builder.CloseElement();
        builder.AddContent(11, After);
        builder.CloseElement();
    }
}
