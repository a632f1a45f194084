using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;

namespace Orders.Dashboard.Layout;

/// <summary>
/// A sentence of ours with times in it, as <see cref="Viewing.Texts.Utc"/> writes them: each becomes a time that the
/// script shows in the viewer's zone.
/// </summary>
public sealed partial class Timed : ComponentBase
{
    private const string Format = "yyyy-MM-dd HH:mm:ss 'UTC'";

    /// <summary>The sentence.</summary>
    [Parameter, EditorRequired]
    public string Text { get; set; } = "";

    /// <inheritdoc />
    protected override void BuildRenderTree(RenderTreeBuilder builder)
    {
        foreach (var part in Time().Split(Text))
        {
            builder.OpenRegion(0);
            if (
                DateTimeOffset.TryParseExact(
                    part,
                    Format,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out var at
                )
            )
            {
                builder.OpenComponent<Moment>(0);
                builder.AddComponentParameter(1, nameof(Moment.At), (DateTimeOffset?)at);
                builder.CloseComponent();
            }
            else
            {
                builder.AddContent(2, part);
            }

            builder.CloseRegion();
        }
    }

    [GeneratedRegex(@"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)", RegexOptions.CultureInvariant)]
    private static partial Regex Time();
}
