using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Parcels.Migrations
{
    [DbContext(typeof(ParcelsDb))]
    [Migration("20261130021144_Initial")]
    partial class Initial
    {
        /// <summary>The model after the only migration there is: that of the snapshot, and not a copy of it.</summary>
        public override IModel TargetModel => new ParcelsDbModelSnapshot().Model;
    }
}
